"""What one team does is told to nobody who is of another."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from codometer.access.permissions import Permission
from tests.forms import without_tokens
from tests.security.firm import ASKERS, DAYS, OTHER, OWN, Firm, Team

pytestmark = pytest.mark.slow

QUESTIONS: Final = (
    "/api/v1/query?measures=tokens&by=team,model,repository",
    "/api/v1/query?measures=tokens,cost&by=model&compare=previous",
    "/api/v1/query?measures=tokens&where=team:checkout&where=team:search&by=model",
    "/?range=7d",
    *(
        path.format(team=team.name)
        for team in (OWN, OTHER)
        for path in (
            "/api/v1/query?measures=tokens&by=model&where=team:{team}",
            "/api/v1/query?measures=cost&by=repository&where=team:{team}",
            "/?team={team}&range=7d&panel=spend&panel=teams",
        )
    ),
)
READERS: Final = tuple(name for name in ASKERS if not name.startswith("service, "))
LEADS: Final = ("team_lead of own", "finops of own")
"""One who is told no small numbers, and one who owns the totals."""
NEWCOMERS: Final = ("mary", "nadia", "olga", "paula", "radia", "sophie")
_LIVE: Final = re.compile(r'<p class="live.*?</p>', re.DOTALL)


def tell(firm: Firm, name: str, path: str) -> str:
    """Return what somebody is told, but for how fresh it is, and the tokens of its forms."""
    text = firm.ask(name, "GET", path, headers={"accept": "text/html"}).text
    return _LIVE.sub("", without_tokens(text))


def named(team: Team, text: str) -> set[str]:
    """Return which marks of a team a text has, but for where it repeats the question."""
    return {mark for mark in (team.model, team.repository) if mark in text}


@pytest.mark.parametrize("name", READERS)
def test_who_is_of_a_team_is_told_of_that_team_and_of_no_other(firm: Firm, name: str) -> None:
    asker = firm.askers[name]
    may = Permission.READ_NUMBERS in (asker.granted or ())
    told = [tell(firm, name, path) for path in QUESTIONS]
    for team in (OWN, OTHER):
        is_of = asker.teams is None or team.name in asker.teams
        marks = set().union(*(named(team, text) for text in told))
        assert marks == ({team.model, team.repository} if may and is_of else set())


def everything(firm: Firm, name: str) -> list[str]:
    """Return questions for every measure by every dimension, over days that are over."""
    today = datetime.now(UTC).date()
    days = f"from={today - timedelta(days=DAYS - 2)}&to={today - timedelta(days=1)}"
    catalogue = firm.ask(name, "GET", "/api/v1/measures").json()["measures"]
    asked = [f"measures={','.join(each['name'] for each in catalogue)}"]
    for dimension in firm.ask(name, "GET", "/api/v1/dimensions").json()["dimensions"]:
        apply = [each["name"] for each in catalogue if dimension["name"] in each["dimensions"]]
        if apply and dimension["name"] not in {"person", "session"}:
            asked += [f"measures={','.join(apply)}&by={dimension['name']}"]
    pages = [f"/?{days}", *(f"/?{days}&team={team.name}" for team in (OWN, OTHER))]
    return [*(f"/api/v1/query?{each}&{days}&compare=previous" for each in asked), *pages]


def test_what_another_team_does_changes_nothing_that_a_team_is_told(firm: Firm) -> None:
    asked = everything(firm, "team_lead of own")
    before = {(name, each): tell(firm, name, each) for name in LEADS for each in asked}
    assert any(OWN.model in text for text in before.values())
    all_before = tell(firm, "finops of all", asked[0])
    more = replace(OTHER, model="claude-newcomer", repository="shop/newcomer")
    firm.send(more, people=NEWCOMERS, tokens=31)
    assert tell(firm, "finops of all", asked[0]) != all_before
    after = {(name, each): tell(firm, name, each) for name, each in before}
    assert {asked: text for asked, text in after.items() if text != before[asked]} == {}
