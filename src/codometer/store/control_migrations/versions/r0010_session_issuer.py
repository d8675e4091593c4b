"""By which provider of identities a session began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """End the sessions that there are, of which that is not known."""
    op.execute("DELETE FROM session")
    op.add_column("session", sa.Column("issuer", sa.Text, nullable=False, server_default=""))
