"""Second factors, providers of identities, sessions that can be named, tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables and columns. Everybody signs in again."""
    op.drop_table("session")
    op.create_table(
        "session",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("used", _INSTANT, nullable=False),
        sa.Column("proved", _INSTANT),
        sa.Column("address", sa.Text, nullable=False),
        sa.UniqueConstraint("id", name="uq_session_id"),
    )
    op.create_index("ix_session_account", "session", ["account"])
    op.add_column("account", sa.Column("email", sa.Text, nullable=False, server_default=""))
    op.add_column("invitation", sa.Column("account", sa.Text))
    _add_proofs()
    op.create_table(
        "used_ticket",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("expires", _INSTANT, nullable=False),
    )


def _add_proofs() -> None:
    op.create_table(
        "account_identity",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
    )
    op.create_index("ix_account_identity_account", "account_identity", ["account"])
    op.create_table(
        "second_factor",
        sa.Column("account", sa.Text, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
    )
    op.create_table(
        "recovery_code",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("account.id"), nullable=False),
    )
    op.create_index("ix_recovery_code_account", "recovery_code", ["account"])
