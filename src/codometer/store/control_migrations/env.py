"""Runs the migrations in the transaction of whoever asked for them."""

from __future__ import annotations

from alembic import context

from codometer.store.control_tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
