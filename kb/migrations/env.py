"""Alembic's entry: everything is handed over by `kb.database.migrate`."""

from kb.database import run_migrations

run_migrations()
