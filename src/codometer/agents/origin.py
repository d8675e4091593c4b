"""Who sent a signal, and from where, read from its attributes.

The same for every agent that follows OpenTelemetry's names. A client sends the
same answer on every signal, so answers are remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from codometer.agents.read import label
from codometer.model.event import Origin
from codometer.model.identity import SERVICE, Identities, hash64

if TYPE_CHECKING:
    from codometer.model.signal import Attributes, AttributeValue

IDENTITY_ATTRIBUTES: Final = (
    "session.id",
    "user.id",
    "user.account_uuid",
    "user.account_id",
    "user.email",
    "enduser.id",
    "identity.source",
)
ACCOUNT_ATTRIBUTES: Final = (
    "enduser.id",
    "user.account_uuid",
    "user.account_id",
    "user.email",
    "identity.source",
)
"""A client that sends one of these says who its person is, and one that sends none does not."""
_PLACE_ATTRIBUTES: Final = (
    "app.version",
    "service.version",
    "app.entrypoint",
    "terminal.type",
    "organization.id",
    "vcs.repository.name",
    "os.type",
)
ORIGIN_ATTRIBUTES: Final = frozenset((*IDENTITY_ATTRIBUTES, *_PLACE_ATTRIBUTES, "service.name"))

_MAX_REMEMBERED: Final = 16_384
_GATEWAY: Final = "gateway-oidc"
_OF_SERVICES: Final = frozenset({"claude-code-github-action"})
"""Entry points of a client that no person sits at: what it calls itself in its own action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRules:
    """Which resource attributes carry what the organisation calls its own."""

    team: tuple[str, ...] = ("team.id", "team")
    cost_center: tuple[str, ...] = ("cost_center", "cost.center")
    dimensions: tuple[str, ...] = ("department", "service.namespace", "deployment.environment.name")


class Identify(Protocol):
    """Decides how the identities of a client are stored, and whose they are."""

    def __call__(self, told: Identities, /) -> Identities:
        """Return what may be stored.

        Raises:
            Erased: they are of somebody who was erased.
        """


def store_plainly(told: Identities, /) -> Identities:
    """Store identities as the client tells them."""
    return told


class Origins:
    """Makes the Origin of a signal, or finds the one that it made before."""

    def __init__(
        self, rules: OriginRules, identify: Identify = store_plainly, *, salt: str = ""
    ) -> None:
        """`salt` is a secret that keeps ids from telling the identities that they are made of."""
        self._rules = rules
        self._identify = identify
        self._keys = (
            *IDENTITY_ATTRIBUTES,
            *_PLACE_ATTRIBUTES,
            *rules.team,
            *rules.cost_center,
            *rules.dimensions,
        )
        self._find = lru_cache(maxsize=_MAX_REMEMBERED)(self._make)
        self.salt = salt
        self.generation = 0
        """Grows whenever what was made before is no longer right, so that nobody remembers it."""
        self.attributes = frozenset(self._keys) | {"service.name"}
        """The attributes that are read here."""

    def find(self, agent: str, attributes: Attributes) -> Origin:
        """Return the origin of a signal of `agent`: the same object for the same answer.

        Raises:
            Erased: it is of somebody who was erased.
        """
        return self._find(agent, *map(attributes.get, self._keys))

    def forget(self) -> None:
        """Make all of them anew from now on, because they would be other ones."""
        self.generation += 1
        self._find.cache_clear()

    def _make(self, agent: str, *values: AttributeValue) -> Origin:
        attributes = dict(zip(self._keys, values, strict=True))

        def first(*keys: str) -> str | None:
            return next((found for key in keys if (found := label(attributes.get(key)))), None)

        told = _identities(attributes)
        kept = self._identify(told)
        session = first("session.id")
        if session and told.person and not kept.person:
            # Of somebody who objects: sessions must stay apart, but lead nowhere.
            session = f"{hash64(self.salt, 'session', session):016x}"
        resource = tuple(
            (key, value) for key in self._rules.dimensions if (value := label(attributes.get(key)))
        )
        who = kept[_FIRST_KEY:_LAST_KEY]
        before = (
            agent,
            first("app.version", "service.version"),
            first("app.entrypoint"),
            first("terminal.type"),
            session,
        )
        after = (
            first("organization.id"),
            first(*self._rules.team),
            first(*self._rules.cost_center),
            kept.repository,
            first("os.type"),
        )
        owner = told.installation or told.person or ""
        # No label is empty, so a team called None is not the same as no team. Whom the keys
        # belong to may be learned later, so it is no part of the id.
        parts = (*before, told.person_kind == _SUBJECT, *who, *after, kept.version)
        id_ = hash64(
            self.salt,
            *("" if part is None else part for part in parts),
            *(part for pair in resource for part in pair),
        )
        return Origin._make(
            (
                id_,
                *before,
                kept.person,
                kept.person_kind,
                *who,
                *after,
                resource,
                hash64(self.salt, "owner", owner),
                kept.version,
            )
        )


_FIRST_KEY: Final = Identities._fields.index("installation")
_LAST_KEY: Final = Identities._fields.index("repository")
_SUBJECT: Final = "subject"


def _identities(attributes: Attributes) -> Identities:
    """Return whom a client names.

    On a gateway `user.id` is the identity provider's subject; elsewhere it names an
    installation, of which one person may have several, so it is the last resort.
    """

    def read(key: str) -> str | None:
        return label(attributes.get(key))

    email = read("user.email")
    told = Identities(
        installation=read("user.id"),
        account_uuid=read("user.account_uuid"),
        account_id=read("user.account_id"),
        email=email.lower() if email else None,
        enduser_id=read("enduser.id"),
        repository=read("vcs.repository.name"),
    )
    is_gateway = attributes.get("identity.source") == _GATEWAY
    is_service = attributes.get("app.entrypoint") in _OF_SERVICES
    candidates = (
        (told.installation if is_gateway else None, _SUBJECT),
        (told.account_uuid, "account"),
        (told.account_id, "account"),
        (told.enduser_id, "enduser"),
        (told.email, "email"),
        (told.installation, "installation"),
    )
    best = next((pair for pair in candidates if pair[0]), (None, None))
    kind = SERVICE if is_service and best[0] else best[1]
    return told._replace(person=best[0], person_kind=kind)
