"""The tables of the control plane: what people decide, and the record of who decided it.

Small, precious and changed by hand, unlike the telemetry beside it. The schema
is brought here by `control_migrations`; a test holds the two together.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
)

METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An instant in UTC, aware on both engines; SQLite by itself forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into what the engine takes."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Pseudonym(Text):
    """Text that is, or may be, a pseudonym of a person: it changes where a newer one is used.

    Columns that are no key change by themselves (`rename_pseudonyms`); whoever has one as a
    key knows what becomes of two rows that are one person's.
    """


INSTANCE: Final = Table(
    "instance",
    METADATA,
    Column("one", Integer, CheckConstraint("one = 1", name="one"), primary_key=True),
    Column("id", Text, nullable=False),
    Column("created", Instant, nullable=False),
)
"""One row: which installation this is."""

GENERATION: Final = Table(
    "generation",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Grows with every change of what servers hold in memory, so that each of them notices."""

AUDIT_ENTRY: Final = Table(
    "audit_entry",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_audit_entry_time", "time"),
)
"""What was done. `time` is text and the differences are JSON, for the hash needs every digit."""

AUDIT_HEAD: Final = Table(
    "audit_head",
    METADATA,
    Column("one", Integer, CheckConstraint("one = 1", name="one"), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
"""The last entry. Whoever adds one holds this row first, so there is one writer at a time."""

AUDIT_SEAL: Final = Table(
    "audit_seal",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("sealed", Instant, nullable=False),
)
"""Up to which entry the log was let go, and the hash that the rest begins with."""

ACCOUNT: Final = Table(
    "account",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("teams", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("disabled", Instant),
    Column("email", Text, nullable=False, server_default=""),
    Column("linked", Instant),
    Column("reveals", Instant),
)
"""Who can sign in. `teams` is a JSON list, or null for all; `password` an Argon2id hash, empty
for who has none; `role` is empty where a provider took it; a provider vouched for `email`, and
since `linked` somebody for the login. Until `reveals` they may ask for names."""

SESSION: Final = Table(
    "session",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account", ForeignKey("account.id"), nullable=False, index=True),
    Column("created", Instant, nullable=False),
    Column("used", Instant, nullable=False),
    Column("proved", Instant),
    Column("address", Text, nullable=False),
    Column("issuer", Text, nullable=False, server_default=""),
)
"""Who is signed in. A session ends when it rests too long, and in any case after a while; `proved`
is when whoever it is last showed that they are it, and `issuer` the provider that they came by."""

INVITATION: Final = Table(
    "invitation",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("teams", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("maker_kind", Text, nullable=False),
    Column("maker", Text, nullable=False),
    Column("account", Text),
)
"""Links that make one account each, or give `account` a new password; by the SHA-256 of what
stands in them. `maker` is who acted, as in the audit log."""

ACCOUNT_IDENTITY: Final = Table(
    "account_identity",
    METADATA,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("account", ForeignKey("account.id"), nullable=False, index=True),
    Column("created", Instant, nullable=False),
)
"""Whom a provider of identities means, for good: e-mail addresses and names change owners."""

SECOND_FACTOR: Final = Table(
    "second_factor",
    METADATA,
    Column("account", ForeignKey("account.id"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("created", Instant, nullable=False),
)
"""What an authenticator shares with us, encrypted, and the last of its codes that was used."""

RECOVERY_CODE: Final = Table(
    "recovery_code",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("account", ForeignKey("account.id"), nullable=False, index=True),
)
"""SHA-256 of the codes that do for a lost authenticator; one that was used is gone."""

USED_TICKET: Final = Table(
    "used_ticket",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("expires", Instant, nullable=False),
)
"""Tickets that were used before their time was over."""

CREDENTIAL: Final = Table(
    "credential",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("team", Text),
    Column("binds_team", Boolean, nullable=False),
    Column("cost_center", Text),
    Column("person", Text),
    Column("created", Instant, nullable=False),
    Column("revoked", Instant),
    Column("addresses", Text, nullable=False, server_default=""),
    Column("owner", Text),
)
"""What a client or program proves itself with. It never changes but for being revoked.
`addresses` are the networks that it is good from, separated by spaces; none: from everywhere.
`owner` is the account that a personal one ends with."""

CREDENTIAL_SECRET: Final = Table(
    "credential_secret",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("credential", ForeignKey("credential.id"), nullable=False, index=True),
    Column("hint", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("last_used", Instant),
    Column("last_address", Text, nullable=False),
)
"""SHA-256 of each secret; two of one credential are valid while it is being rotated."""

WRAPPED_KEY: Final = Table(
    "wrapped_key",
    METADATA,
    Column("purpose", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
)
"""The keys of each purpose, locked with the main key, which is not here."""

PRIVACY_DECISION: Final = Table(
    "privacy_decision",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("profile", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided", Instant, nullable=False),
    Column("effective", Instant, nullable=False),
)
"""Which privacy profile was decided on, why, and from when on it holds."""

IDENTITY: Final = Table(
    "identity",
    METADATA,
    Column("pseudonym", Pseudonym, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key_number", Integer, nullable=False),
    Column("value", LargeBinary),
    Column("is_apart", Boolean, nullable=False),
    Column("created", Instant, nullable=False),
)
"""The vault: each pseudonym, and encrypted what it stands for, where the profile keeps that.
One that `is_apart` was taken out of a person by an administrator."""

IDENTITY_LINK: Final = Table(
    "identity_link",
    METADATA,
    Column("stronger", Pseudonym, primary_key=True),
    Column("weaker", Pseudonym, primary_key=True),
    Column("is_decided", Boolean, nullable=False),
    Column("created", Instant, nullable=False),
)
"""Two pseudonyms of one person: seen together on a record, or decided by an administrator."""

IDENTITY_MOVE: Final = Table(
    "identity_move",
    METADATA,
    Column("pseudonym", Pseudonym, primary_key=True),
    Column("waits", Boolean, nullable=False, server_default=false()),
)
"""Pseudonyms whose person or team changed, which the telemetry must be told yet: at once, or, of
rows that are under a legal hold, when one is lifted."""

TOMBSTONE: Final = Table(
    "tombstone",
    METADATA,
    Column("mark", Text, primary_key=True),
    Column("created", Instant, nullable=False),
)
"""Keyed hashes of pseudonyms that were erased, so that their late data stays out."""

REVEAL: Final = Table(
    "reveal",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("person", Pseudonym, nullable=False),
    Column("account", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("approver", Text),
    Column("is_approved", Boolean),
)
"""Who asked for the name behind a pseudonym; no name is here. Rows go when they are over."""

PROJECT_CONSENT: Final = Table(
    "project_consent",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("reviewers", Text, nullable=False),
    Column("days", Integer, nullable=False),
    Column("granted", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("withdrawn", Instant),
)
"""An administrator opened a project for content: what for, `reviewers` (a JSON list of accounts)
who may read it, and how many days it is kept at most. Never changed but for being withdrawn."""

PERSONAL_CONSENT: Final = Table(
    "personal_consent",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project_consent", ForeignKey("project_consent.id"), nullable=False),
    Column("person", Pseudonym, nullable=False, index=True),
    Column("text_version", Integer, nullable=False),
    Column("text_hash", Text, nullable=False),
    Column("granted", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("withdrawn", Instant),
    Column("channel", Text, nullable=False),
)
"""A person agreed to what a project was opened for, in the words of that hash."""

CONTENT: Final = Table(
    "content",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project_consent", ForeignKey("project_consent.id"), nullable=False, index=True),
    Column("personal_consent", ForeignKey("personal_consent.id"), index=True),
    Column("subject", Pseudonym, nullable=False, index=True),
    Column("session", Text),
    Column("time", Instant, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("text", LargeBinary, nullable=False),
)
"""What people and models wrote, redacted and encrypted, and the consents that let it be kept.
`subject` is the strongest pseudonym of the record, whosever that is now."""

TREATMENT: Final = Table(
    "treatment",
    METADATA,
    Column("mark", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("treatment", Text, nullable=False),
    Column("created", Instant, nullable=False),
)
"""Keyed hashes of pseudonyms whose records are treated otherwise than usual: who objected, and
whom an administrator declared to be a service, or a person after all. `subject` is a number by
chance, the same for all of one."""

TEAM_MEMBERSHIP: Final = Table(
    "team_membership",
    METADATA,
    Column("person", Pseudonym, primary_key=True),
    Column("first", Date, primary_key=True),
    Column("until", Date),
    Column("team", Text, nullable=False),
    Column("cost_center", Text),
    Column("decided", Instant, nullable=False),
)
"""Which team a person belongs to, by a pseudonym, as an administrator says: from one day until
another, which is not included."""

SETTING: Final = Table(
    "setting",
    METADATA,
    Column("server", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What a server was started with last, as JSON. Servers of one installation go by their data
folders."""

EVERYTHING: Final = "everything"
"""The kind of a hold on all that there is, the audit log too."""

LEGAL_HOLD: Final = Table(
    "legal_hold",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Pseudonym, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created", Instant, nullable=False),
)
"""Whose data must stay, whatever its age. A hold that was lifted is in the audit log alone."""

SUBJECT_REQUEST: Final = Table(
    "subject_request",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("right", Text, nullable=False),
    Column("person", Pseudonym, nullable=False, index=True),
    Column("words", Text, nullable=False),
    Column("asked", Instant, nullable=False),
    Column("decided", Instant),
    Column("outcome", Text),
    Column("reason", Text, nullable=False),
)
"""What people ask for of their own data. `words` are theirs; `reason` says how it was decided."""
