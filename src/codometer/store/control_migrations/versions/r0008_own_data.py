"""Whose data an account may see as its own, and who asked for the name behind a pseudonym."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table and the columns."""
    op.add_column("account", sa.Column("linked", _INSTANT))
    op.add_column("account", sa.Column("reveals", _INSTANT))
    op.create_table(
        "reveal",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("person", "account", "reason")),
        *(sa.Column(name, _INSTANT, nullable=False) for name in ("asked", "ends")),
        sa.Column("approver", sa.Text),
        sa.Column("is_approved", sa.Boolean),
    )
