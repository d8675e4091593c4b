"""Who works: people, their teams, and the machines on which they run a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from codometer.model.signal import Temporality
from codometer.operate.simulator.calendar import SITES, Site
from codometer.operate.simulator.chance import Chance
from codometer.operate.simulator.releases import Release, choose_model, find_release

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codometer.operate.simulator.scenario import Scenario
    from codometer.pricing import PriceCatalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The ids of a person who is signed in; with an API key there are none."""

    email: str
    uuid: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Installation:
    """A place where a client is installed. `id` is what it sends as `user.id`."""

    id: str
    terminal: str
    os_type: str
    os_version: str
    arch: str
    temporality: Temporality
    release: Release


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Person:
    """Somebody who works with coding agents, as they are on one day; or a service that does."""

    number: int
    organisation: str
    account: Account | None
    team: str
    cost_center: str
    repositories: Sequence[str]
    installations: tuple[Installation, ...]
    model: str
    small_model: str
    model_on_metrics: str
    """Metrics spell the model as it is configured, events without the suffix for long contexts."""
    dearest_model: str
    """What work for which the usual model is not good enough is given to."""
    effort: str
    site: Site
    shift_starts_minute: int
    """When the working day begins, in minutes after midnight at the site."""
    pace: float
    """How much they do, beside the average."""
    is_service: bool = False


class Team(NamedTuple):
    """A team: `share` is how large it is beside others."""

    name: str
    cost_center: str
    share: int
    repositories: tuple[str, ...]
    started_days_before_end: int | None = None
    """When the first of a team that is new to coding agents began, the last two weeks later."""


TEAMS: Final = (
    Team("Payments", "CC-410", 12, ("payments-api", "ledger", "checkout-web")),
    Team("Platform", "CC-120", 11, ("infra", "deploy-tools", "service-mesh")),
    Team("Data", "CC-230", 9, ("warehouse", "pipelines", "notebooks")),
    Team("Mobile", "CC-320", 9, ("ios-app", "android-app"), started_days_before_end=38),
    Team("Growth", "CC-330", 8, ("web", "experiments")),
    Team("Developer Experience", "CC-120", 6, ("monorepo-tools", "ci-images")),
    Team("Security", "CC-140", 5, ("policy-engine", "secrets-scanner")),
    Team("Search", "CC-240", 6, ("search-api", "ranking")),
    Team("Identity", "CC-140", 5, ("login", "directory")),
    Team("Billing", "CC-410", 6, ("invoices", "tax")),
    Team("Machine Learning", "CC-230", 7, ("models", "feature-store")),
    Team("Support Tools", "CC-510", 5, ("helpdesk", "macros")),
    Team("Design System", "CC-330", 4, ("components", "icons")),
    Team("Maps", "CC-240", 6, ("tiles", "routing")),
)
_PEOPLE_PER_TEAM: Final = 8
_FEWEST_TEAMS: Final = 7

_GIVEN_NAMES: Final = (
    "ada", "alan", "barbara", "dennis", "edsger", "frances", "grace", "hedy", "john", "katherine",
    "ken", "leslie", "linus", "margaret", "niklaus", "radia", "sophie", "tim", "tony", "yukihiro",
)  # fmt: skip

_TERMINALS: Final = ("vscode", "iTerm.app", "xterm-256color", "tmux", "JetBrains", "ghostty")
_MACHINES: Final = (
    ("darwin", "25.1.0", "arm64"),
    ("linux", "6.18.44", "amd64"),
    ("linux", "6.8.0-90-generic", "arm64"),
)

_FAMILIES: Final = {"sonnet": 52, "opus": 40, "fable": 4, "haiku": 4}
_EFFORTS: Final = ("low", "medium", "medium", "high", "high", "xhigh")
_LONG_CONTEXT_SHARE: Final = 0.2
_SIGNED_IN_SHARE: Final = 0.85
_THERE_FROM_THE_START: Final = 0.45
_TEAM_STARTS_WITHIN_DAYS: Final = 14
_UPGRADE_LAGS: Final = (0, 0, 1, 1, 2, 3, 5, 40)
"""In days, of which some are never in a hurry."""

_PEOPLE_PER_SERVICE: Final = 30
"""One job in CI for so many people; below, there is none."""


def make_people(scenario: Scenario, catalogue: PriceCatalogue, day: date) -> Iterator[Person]:
    """Make the people who have begun by a day, and the services, as they are on that day.

    Who they are depends on the seed alone. Only models with a price are used.
    """
    organisation = Chance(scenario.seed, "organisation").uuid()
    services = scenario.people // _PEOPLE_PER_SERVICE
    for number in range(scenario.people + services):
        is_service = number >= scenario.people
        chance = Chance(scenario.seed, "service" if is_service else "person", number)
        team = _choose_team(scenario, chance, number, is_service=is_service)
        begins = _choose_start(scenario, chance, team)
        if begins <= day or is_service:
            yield _make_person(
                scenario,
                catalogue,
                day,
                chance=chance,
                number=number,
                team=team,
                organisation=organisation,
                is_service=is_service,
            )


def _choose_team(scenario: Scenario, chance: Chance, number: int, *, is_service: bool) -> Team:
    wanted = max(_FEWEST_TEAMS, scenario.people // _PEOPLE_PER_TEAM)
    teams = list(_list_teams(wanted))
    if is_service:
        return teams[number % 2]
    return chance.choices(teams, [team.share for team in teams])[0]


def _list_teams(wanted: int) -> Iterator[Team]:
    """Give so many teams; beyond the catalogue they are numbered."""
    for number in count():
        for team in TEAMS:
            if wanted == 0:
                return
            wanted -= 1
            yield team._replace(name=f"{team.name} {number + 1}") if number else team


def _choose_start(scenario: Scenario, chance: Chance, team: Team) -> date:
    """Return the day on which somebody first works with an agent."""
    was_there, when = chance.happens(_THERE_FROM_THE_START), chance.random()
    if team.started_days_before_end is not None:
        first = scenario.last_day - timedelta(days=team.started_days_before_end)
        return first + timedelta(days=int(when * _TEAM_STARTS_WITHIN_DAYS))
    return scenario.first_day + timedelta(days=0 if was_there else int(when * scenario.days))


def _make_person(
    scenario: Scenario,
    catalogue: PriceCatalogue,
    day: date,
    *,
    chance: Chance,
    number: int,
    team: Team,
    organisation: str,
    is_service: bool,
) -> Person:
    (site,) = chance.choices(SITES, [site.share for site in SITES])
    (family,) = chance.choices(list(_FAMILIES), list(_FAMILIES.values()))
    lag_days = chance.around(9, 1.1)
    model = choose_model(catalogue, "sonnet" if is_service else family, day, lag_days)
    long_context = chance.happens(_LONG_CONTEXT_SHARE)
    account = _account(chance, number)
    return Person(
        number=number,
        organisation=organisation,
        account=account if chance.happens(_SIGNED_IN_SHARE) and not is_service else None,
        team=team.name,
        cost_center=team.cost_center,
        repositories=team.repositories,
        installations=_installations(scenario, chance, day),
        model=model,
        small_model=choose_model(catalogue, "haiku", day, lag_days),
        model_on_metrics=f"{model}[1m]" if long_context else model,
        dearest_model=choose_model(catalogue, "opus", day, 0),
        effort=chance.choice(_EFFORTS),
        site=site,
        shift_starts_minute=chance.randint(8 * 60, 10 * 60),
        pace=1.0 if is_service else chance.around(1000, 0.45) / 1100,
        is_service=is_service,
    )


def _account(chance: Chance, number: int) -> Account:
    name = _GIVEN_NAMES[number % len(_GIVEN_NAMES)]
    return Account(
        email=f"{name}.{number}@example.com",
        uuid=chance.uuid(),
        id=f"user_01{chance.letters(22)}",
    )


def _installations(scenario: Scenario, chance: Chance, day: date) -> tuple[Installation, ...]:
    return tuple(
        Installation(
            id=chance.hex(64),
            terminal=chance.choice(_TERMINALS),
            os_type=machine[0],
            os_version=machine[1],
            arch=machine[2],
            temporality=(
                Temporality.CUMULATIVE
                if chance.happens(scenario.cumulative_share)
                else Temporality.DELTA
            ),
            release=find_release(scenario.days_before_end(day), chance.choice(_UPGRADE_LAGS)),
        )
        for machine in chance.sample(_MACHINES, 2 if chance.happens(0.3) else 1)
    )
