"""Changing documents become searchable nodes: connectors, sync, store, retriever, schedule."""
