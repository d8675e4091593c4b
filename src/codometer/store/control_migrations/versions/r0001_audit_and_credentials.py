"""Who this installation is, the audit log, and credentials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "instance",
        sa.Column("one", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.CheckConstraint("one = 1", name="ck_instance_one"),
    )
    op.create_table(
        "generation",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    _create_audit_log()
    _create_credentials()


def _create_audit_log() -> None:
    texts = ("time", "actor_kind", "actor", "address", "request", "action", "object", "outcome")
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in (*texts, "reason", "before", "after", "hash")
        ),
    )
    op.create_index("ix_audit_entry_time", "audit_entry", ["time"])
    op.create_table(
        "audit_head",
        sa.Column("one", sa.Integer, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.CheckConstraint("one = 1", name="ck_audit_head_one"),
    )
    op.create_table(
        "audit_seal",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("sealed", _INSTANT, nullable=False),
    )


def _create_credentials() -> None:
    op.create_table(
        "credential",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("team", sa.Text),
        sa.Column("binds_team", sa.Boolean, nullable=False),
        sa.Column("cost_center", sa.Text),
        sa.Column("person", sa.Text),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("revoked", _INSTANT),
    )
    op.create_table(
        "credential_secret",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("credential", sa.Text, sa.ForeignKey("credential.id"), nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("expires", _INSTANT, nullable=False),
        sa.Column("last_used", _INSTANT),
        sa.Column("last_address", sa.Text, nullable=False),
    )
    op.create_index("ix_credential_secret_credential", "credential_secret", ["credential"])
