"""Who sent a signal, and from where, read from its attributes.

The same for every agent that follows OpenTelemetry's names. A client sends the
same answer on every signal, so answers are remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from codometer.agents.read import label
from codometer.model.event import Origin
from codometer.model.identity import hash64

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRules:
    """Which resource attributes carry what the organisation calls its own."""

    team: tuple[str, ...] = ("team.id", "team")
    cost_center: tuple[str, ...] = ("cost_center", "cost.center")
    dimensions: tuple[str, ...] = ("department", "service.namespace", "deployment.environment.name")


class Origins:
    """Makes the Origin of a signal, or finds the one that it made before."""

    def __init__(self, rules: OriginRules) -> None:
        self._rules = rules
        self._keys = (
            *IDENTITY_ATTRIBUTES,
            *_PLACE_ATTRIBUTES,
            *rules.team,
            *rules.cost_center,
            *rules.dimensions,
        )
        self._find = lru_cache(maxsize=_MAX_REMEMBERED)(self._make)
        self.attributes = frozenset(self._keys) | {"service.name"}
        """The attributes that are read here."""

    def find(self, agent: str, attributes: Attributes) -> Origin:
        """Return the origin of a signal of `agent`: the same object for the same answer."""
        return self._find(agent, *map(attributes.get, self._keys))

    def _make(self, agent: str, *values: AttributeValue) -> Origin:
        attributes = dict(zip(self._keys, values, strict=True))

        def first(*keys: str) -> str | None:
            return next((found for key in keys if (found := label(attributes.get(key)))), None)

        email = first("user.email")
        person, person_kind = _person(attributes)
        resource = tuple(
            (key, value) for key in self._rules.dimensions if (value := label(attributes.get(key)))
        )
        fields = (
            agent,
            first("app.version", "service.version"),
            first("app.entrypoint"),
            first("terminal.type"),
            first("session.id"),
            person,
            person_kind,
            first("user.id"),
            first("user.account_uuid"),
            first("user.account_id"),
            email.lower() if email else None,
            first("enduser.id"),
            first("organization.id"),
            first(*self._rules.team),
            first(*self._rules.cost_center),
            first("vcs.repository.name"),
            first("os.type"),
        )
        # No label is empty, so a team called None is not the same as no team.
        told = (*(field or "" for field in fields), *(part for pair in resource for part in pair))
        return Origin(hash64(*told), *fields, resource)


def _person(attributes: Attributes) -> tuple[str | None, str | None]:
    """Return the strongest identity and its kind.

    On a gateway `user.id` is the identity provider's subject; elsewhere it names an
    installation, of which one person may have several, so it is the last resort.
    """
    gateway = attributes.get("identity.source") == _GATEWAY
    candidates = (
        ("user.id" if gateway else "", "subject"),
        ("user.account_uuid", "account"),
        ("user.account_id", "account"),
        ("enduser.id", "enduser"),
        ("user.email", "email"),
        ("user.id", "installation"),
    )
    for key, kind in candidates:
        if value := label(attributes.get(key)):
            return value.lower() if kind == "email" else value, kind
    return None, None
