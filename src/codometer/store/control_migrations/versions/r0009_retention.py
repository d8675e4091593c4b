"""What must stay whatever its age, and whose records are treated otherwise than usual."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "subject", "reason")),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "treatment",
        sa.Column("mark", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("subject", "treatment")),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
