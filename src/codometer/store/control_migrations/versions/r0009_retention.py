"""What must stay whatever its age."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "subject", "reason")),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
