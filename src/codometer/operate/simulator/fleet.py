"""Who works: people, their teams, and the machines on which they run a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import islice, product
from typing import TYPE_CHECKING, Final

from codometer.model.signal import Temporality
from codometer.operate.simulator.chance import Chance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codometer.pricing import PriceCatalogue

VERSION: Final = "2.1.330"
"""The client that is imitated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What to simulate: a day (UTC) of so many people. Shares run from 0 to 1."""

    seed: int
    day: date
    people: int = 500
    sessions_per_person: float = 2
    session_minutes: float = 30
    """The median length of a session; there are three or four requests a minute."""
    cumulative_share: float = 0.3
    """Installations whose metrics are cumulative; those of the others are deltas."""
    metrics_have_session_ids: bool = True
    """False is `OTEL_METRICS_INCLUDE_SESSION_ID=false`."""
    resumed_share: float = 0.12
    """Sessions that a second process takes up again later."""
    parallel_share: float = 0.05
    """Sessions that a second process has open at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The ids of a person who is signed in; with an API key there are none."""

    email: str
    uuid: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A place where a client is installed. `id` is what it sends as `user.id`."""

    id: str
    terminal: str
    os_type: str
    os_version: str
    arch: str
    temporality: Temporality


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works with coding agents, and how."""

    number: int
    organisation: str
    account: Account | None
    team: str
    cost_center: str
    installations: tuple[Installation, ...]
    model: str
    small_model: str
    model_on_metrics: str
    """Metrics spell the model as it is configured, events without the suffix for long contexts."""
    effort: str
    shift_starts_minute: int
    """When the working day begins, in minutes after midnight UTC."""


_TEAMS: Final = (
    "payments", "search", "platform", "mobile", "kernel", "identity", "maps", "billing",
    "checkout", "data", "growth", "support-tools", "security", "design-system", "infra", "ml",
)  # fmt: skip
_PEOPLE_PER_TEAM: Final = 8
_GIVEN_NAMES: Final = (
    "ada", "alan", "barbara", "dennis", "edsger", "frances", "grace", "hedy", "john", "katherine",
    "ken", "leslie", "linus", "margaret", "niklaus", "radia", "sophie", "tim", "tony", "yukihiro",
)  # fmt: skip

# Where working days begin (UTC): Kathmandu, Berlin, New York, San Francisco, and some at night.
_SHIFT_STARTS: Final = (195, 420, 780, 960, 1260)
_SHIFT_SHARES: Final = (20, 30, 25, 20, 5)

_TERMINALS: Final = ("vscode", "iTerm.app", "xterm-256color", "tmux", "JetBrains", "ghostty")
_MACHINES: Final = (
    ("darwin", "25.1.0", "arm64"),
    ("linux", "6.18.44", "amd64"),
    ("linux", "6.8.0-90-generic", "arm64"),
)

# By how often they are chosen, among those that have a price on the day.
_MODELS: Final = {
    "claude-sonnet-5-5": 5,
    "claude-opus-5-5": 4,
    "claude-opus-4-8": 2,
    "claude-sonnet-4-6": 2,
    "claude-opus-4-6": 1,
}
_SMALL_MODELS: Final = ("claude-haiku-5-5", "claude-haiku-4-5")
_LONG_CONTEXT_SHARE: Final = 0.2


def make_people(scenario: Scenario, catalogue: PriceCatalogue) -> tuple[Person, ...]:
    """Return the people of a scenario; only models with a price on its day are used."""
    chance = Chance(scenario.seed, "people")
    models = {
        name: share
        for name, share in _MODELS.items()
        if catalogue.find_prices(name, day=scenario.day)
    }
    small_model = next(
        name for name in _SMALL_MODELS if catalogue.find_prices(name, day=scenario.day)
    )
    organisation = chance.uuid()
    teams = _team_names(-(-scenario.people // _PEOPLE_PER_TEAM))
    people = []
    for number in range(scenario.people):
        team = chance.randrange(len(teams))
        (model,) = chance.choices(list(models), list(models.values()))
        long_context = chance.happens(_LONG_CONTEXT_SHARE)
        people.append(
            Person(
                number=number,
                organisation=organisation,
                account=_account(chance, number) if chance.happens(0.85) else None,
                team=teams[team],
                cost_center=f"cc-{10 + team // 2}",
                installations=_installations(chance, scenario.cumulative_share),
                model=model,
                small_model=small_model,
                model_on_metrics=f"{model}[1m]" if long_context else model,
                effort=chance.choice(("low", "medium", "medium", "high")),
                shift_starts_minute=chance.choices(_SHIFT_STARTS, _SHIFT_SHARES)[0],
            )
        )
    return tuple(people)


def _team_names(count: int) -> Sequence[str]:
    numbered = (
        team if number == 1 else f"{team}-{number}"
        for number, team in product(range(1, count + 1), _TEAMS)
    )
    return tuple(islice(numbered, count))


def _account(chance: Chance, number: int) -> Account:
    name = _GIVEN_NAMES[number % len(_GIVEN_NAMES)]
    return Account(
        email=f"{name}.{number}@example.com",
        uuid=chance.uuid(),
        id=f"user_01{chance.letters(22)}",
    )


def _installations(chance: Chance, cumulative_share: float) -> tuple[Installation, ...]:
    return tuple(
        Installation(
            id=chance.hex(64),
            terminal=chance.choice(_TERMINALS),
            os_type=machine[0],
            os_version=machine[1],
            arch=machine[2],
            temporality=(
                Temporality.CUMULATIVE if chance.happens(cumulative_share) else Temporality.DELTA
            ),
        )
        for machine in chance.sample(_MACHINES, 2 if chance.happens(0.3) else 1)
    )
