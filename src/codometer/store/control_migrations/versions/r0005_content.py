"""Consents to keep content, and the content."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make their tables."""
    op.create_table(
        "project_consent",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("project", "purpose", "reviewers")),
        sa.Column("days", sa.Integer, nullable=False),
        *(sa.Column(name, _INSTANT, nullable=False) for name in ("granted", "expires")),
        sa.Column("withdrawn", _INSTANT),
    )
    op.create_table(
        "personal_consent",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column(
            "project_consent",
            sa.Text,
            sa.ForeignKey("project_consent.id", name="fk_personal_consent_project_consent"),
            nullable=False,
        ),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("text_version", sa.Integer, nullable=False),
        sa.Column("text_hash", sa.Text, nullable=False),
        *(sa.Column(name, _INSTANT, nullable=False) for name in ("granted", "expires")),
        sa.Column("withdrawn", _INSTANT),
        sa.Column("channel", sa.Text, nullable=False),
    )
    op.create_index("ix_personal_consent_person", "personal_consent", ["person"])
    op.create_table(
        "content",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column(
            "project_consent",
            sa.Text,
            sa.ForeignKey("project_consent.id", name="fk_content_project_consent"),
            nullable=False,
        ),
        sa.Column(
            "personal_consent",
            sa.Text,
            sa.ForeignKey("personal_consent.id", name="fk_content_personal_consent"),
        ),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("time", _INSTANT, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
    )
    for column in ("project_consent", "personal_consent", "subject", "time"):
        op.create_index(f"ix_content_{column}", "content", [column])
