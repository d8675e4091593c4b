"""What servers were started with, to tell what has changed since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "setting",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("server", "key")),
        sa.Column("value", sa.Text, nullable=False),
    )
