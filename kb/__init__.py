"""Changing documents become searchable nodes: connectors, sync, store, retriever, schedule."""

import os

# Before numpy is imported: its BLAS threads spin for milliseconds after each small product, which takes a
# core from the model and the store: a third of a search's processor time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
