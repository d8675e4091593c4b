"""Which team a person belongs to, from when until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "team_membership",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("first", sa.Date, primary_key=True),
        sa.Column("until", sa.Date),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("cost_center", sa.Text),
        sa.Column("decided", sa.DateTime(timezone=True), nullable=False),
    )
