"""From which networks a credential is good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Let those that there are be good from everywhere."""
    column = sa.Column("addresses", sa.Text, nullable=False, server_default="")
    op.add_column("credential", column)
