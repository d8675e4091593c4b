"""Who made a link, and whose a personal credential is.

Links that are out must be made again: nobody knows who made them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table of links anew, and add a column to credentials."""
    op.drop_table("invitation")
    op.create_table(
        "invitation",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("role", "teams")),
        *(sa.Column(name, _INSTANT, nullable=False) for name in ("created", "expires")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("maker_kind", "maker")),
        sa.Column("account", sa.Text),
    )
    op.add_column("credential", sa.Column("owner", sa.Text))
