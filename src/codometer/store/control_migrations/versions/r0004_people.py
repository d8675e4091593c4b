"""Privacy decisions, the identity vault, and who was erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "privacy_decision",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("profile", "purpose", "reason")),
        *(sa.Column(name, _INSTANT, nullable=False) for name in ("decided", "effective")),
    )
    op.create_table(
        "identity",
        sa.Column("pseudonym", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key_number", sa.Integer, nullable=False),
        sa.Column("value", sa.LargeBinary),
        sa.Column("is_apart", sa.Boolean, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
    )
    op.create_table(
        "identity_link",
        sa.Column("stronger", sa.Text, primary_key=True),
        sa.Column("weaker", sa.Text, primary_key=True),
        sa.Column("is_decided", sa.Boolean, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
    )
    op.create_table("identity_move", sa.Column("pseudonym", sa.Text, primary_key=True))
    op.create_table(
        "tombstone",
        sa.Column("mark", sa.Text, primary_key=True),
        sa.Column("created", _INSTANT, nullable=False),
    )
