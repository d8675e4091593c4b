"""What people asked for of their own data, and what was decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "subject_request",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("right", "person", "words")),
        sa.Column("asked", _INSTANT, nullable=False),
        sa.Column("decided", _INSTANT),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("ix_subject_request_person", "subject_request", ["person"])
