"""Who sent a signal, and from where, read from its attributes.

The same for every agent that follows OpenTelemetry's names. A client sends the
same answer on every signal, so answers are remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from codometer.agents.read import label, line
from codometer.model.event import Origin
from codometer.model.identity import SERVICE, Identities, hash64, number_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


class Place(NamedTuple):
    """Where somebody belongs. Without a cost centre, to the one that their client says."""

    team: str
    cost_center: str | None


class Places(Protocol):
    """Knows where people belong, whatever their clients say."""

    @property
    def changes(self) -> Sequence[int]:
        """When anything about that changes, in order, in nanoseconds since 1970."""

    def find(self, told: Identities, kept: Identities, since_ns: int) -> Place | None:
        """Return where somebody belongs from a change on until the next one.

        `kept` is how their identities are stored.
        """


class AsTold:
    """Leaves everybody where their client says they are."""

    changes: Final[Sequence[int]] = ()

    def find(self, told: Identities, kept: Identities, since_ns: int) -> None:
        """Return nothing."""


Stamp = tuple[int, int]
"""What decides the origin of a signal beside its attributes: a generation, and a change."""


class Origins:
    """Makes the Origin of a signal, or finds the one that it made before."""

    def __init__(
        self,
        rules: OriginRules,
        identify: Identify = store_plainly,
        places: Places | None = None,
        *,
        salt: str = "",
    ) -> None:
        """Without `places`, everybody is where their client says they are.

        `salt` is a secret that keeps ids from telling the identities that they are made of.
        """
        self._rules = rules
        self._identify = identify
        self._places = places or AsTold()
        self._keys = (
            *IDENTITY_ATTRIBUTES,
            *_PLACE_ATTRIBUTES,
            *rules.team,
            *rules.cost_center,
            *rules.dimensions,
        )
        self._find = lru_cache(maxsize=_MAX_REMEMBERED)(self._make)
        self.salt = salt
        self._generation = 0
        self.attributes = frozenset(self._keys) | {"service.name"}
        """The attributes that are read here."""

    def stamps(self, times: Sequence[int]) -> Iterable[Stamp]:
        """Return what `find` needs for signals of these times, one each or one for all.

        Whoever remembers an origin remembers it for one stamp.
        """
        changes, generation = self._places.changes, self._generation
        if not changes:
            return repeat((generation, 0))
        first, last = (bisect_right(changes, end(times)) for end in (min, max))
        if first == last:
            return repeat((generation, changes[first - 1] if first else 0))
        passed = (bisect_right(changes, time_ns) for time_ns in times)
        return [(generation, changes[at - 1] if at else 0) for at in passed]

    def find(self, agent: str, attributes: Attributes, stamp: Stamp = (0, 0)) -> Origin:
        """Return the origin of a signal of `agent`: the same object for the same answer.

        Raises:
            Erased: it is of somebody who was erased.
        """
        return self._find(agent, stamp[1], *map(attributes.get, self._keys))

    def forget(self) -> None:
        """Make all of them anew from now on, because they would be other ones."""
        self._generation += 1
        self._find.cache_clear()

    def _make(self, agent: str, since_ns: int, *values: AttributeValue) -> Origin:
        attributes = dict(zip(self._keys, values, strict=True))

        def first(*keys: str) -> str | None:
            return next((found for key in keys if (found := label(attributes.get(key)))), None)

        told = _identities(attributes)
        kept = self._identify(told)
        session = first("session.id")
        if session and told.person and not kept.person:
            # Of somebody who objects: sessions must stay apart, but lead nowhere.
            session = f"{hash64(self.salt, 'session', session):016x}"
        team, cost_center = first(*self._rules.team), first(*self._rules.cost_center)
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
        after = first("organization.id"), team, cost_center, kept.repository, first("os.type")
        owner = told.installation or told.person or ""
        # No label is empty, so a team called None is not the same as no team. Whom the keys
        # belong to may be learned later, so it is no part of the id.
        parts = (*before, told.person_kind == _SUBJECT, *who, *after, kept.version)
        id_ = hash64(
            self.salt,
            *("" if part is None else part for part in parts),
            *(part for pair in resource for part in pair),
        )
        origin = Origin._make(
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
                team,
                cost_center,
            )
        )
        return _placed(origin, self._places.find(told, kept, since_ns))


def _placed(origin: Origin, place: Place | None) -> Origin:
    if place is None:
        return origin
    team, cost_center = place.team, place.cost_center or origin.cost_center
    if (team, cost_center) == (origin.team, origin.cost_center):
        return origin
    number = number_elsewhere(origin.id, team, cost_center)
    return origin._replace(id=number, team=team, cost_center=cost_center)


_FIRST_KEY: Final = Identities._fields.index("installation")
_LAST_KEY: Final = Identities._fields.index("repository")
_SUBJECT: Final = "subject"


def _identities(attributes: Attributes) -> Identities:
    """Return whom a client names.

    On a gateway `user.id` is the identity provider's subject; elsewhere it names an
    installation, of which one person may have several, so it is the last resort.
    """

    def read(key: str) -> str | None:
        return line(attributes.get(key))

    email = read("user.email")
    told = Identities(
        installation=read("user.id"),
        account_uuid=read("user.account_uuid"),
        account_id=read("user.account_id"),
        email=email.lower() if email else None,
        enduser_id=read("enduser.id"),
        repository=label(attributes.get("vcs.repository.name")),
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
