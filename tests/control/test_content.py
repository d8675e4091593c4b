"""Content and consents on each engine, as two servers of one installation share them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from codometer.access.access import Access
from codometer.access.actor import Actor, ActorKind
from codometer.model.event import Origin
from codometer.people.content_views import ContentViews
from codometer.people.contents import Contents, Text
from codometer.people.covering import Cover
from codometer.people.vault import Vault
from codometer.privacy.policy import Part
from codometer.privacy.profile import POLICIES, PolicyInForce, Profile
from codometer.settings import Control, Settings
from tests.control.conftest import ENGINES

ROOT: Final = Actor(kind=ActorKind.LOCAL)
ADA: Final = "p_aaaaaaaaaaaaaaaaaaaa"
PROJECT: Final = "team:payments"
BEGIN: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORIGIN: Final = Origin(
    *(1, "claude_code", None, None, None, "session", ADA, "email", None, None, None, ADA, None),
    *(None, "payments", None, None, None, ()),
)


@dataclass
class Office:
    """The content of one server."""

    access: Access
    now: list[datetime] = field(default_factory=lambda: [BEGIN])

    def __post_init__(self) -> None:
        self.in_force = PolicyInForce(POLICIES[Profile.STANDARD])
        vault = Vault(self.access.control, self.access.keys, lambda: self.now[0])
        self.contents = Contents(self.access, vault, self.in_force)
        self.views = ContentViews(self.access, self.contents)

    def agree(self) -> None:
        self.contents.open_project(PROJECT, "to learn", (), ROOT)
        _, words = self.contents.text_for(PROJECT)
        self.contents.agree(ADA, PROJECT, words.hash, "signed in")

    def count(self) -> int:
        with self.access.control.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM content").scalar_one())

    def cover(self) -> Cover | None:
        self.contents.follow()
        return self.contents.find_cover(ORIGIN)

    def keep(self, number: int, time: datetime = BEGIN) -> None:
        cover = self.cover()
        assert cover is not None
        self.contents.add(
            Text(f"{number:032x}", cover, ADA, "session", time, "user_prompt", Part.PROMPT, "words")
        )
        self.contents.save()


@pytest.fixture(params=ENGINES)
def offices(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Office, Office]]:
    """Give two servers that share a database, and one key."""
    database = ""
    if request.param == "postgresql":
        database = request.getfixturevalue("postgresql").create_database()
    settings = Settings(data=tmp_path, control=Control(database=database))
    now = [BEGIN]
    opened = [Access(settings, now=lambda: now[0]) for _ in range(2)]
    yield Office(opened[0], now), Office(opened[1], now)
    for access in opened:
        access.close()


def test_what_is_agreed_to_at_one_server_holds_at_the_other(
    offices: tuple[Office, Office],
) -> None:
    one, other = offices
    assert other.cover() is None
    one.agree()
    assert other.cover() is not None
    assert one.contents.withdraw(ADA, PROJECT) == 0
    assert other.cover() is None


def test_a_text_that_comes_twice_is_kept_once(offices: tuple[Office, Office]) -> None:
    one, other = offices
    one.agree()
    for office in (one, other, one):
        office.keep(1)
    other.keep(2)
    assert one.count() == 2
    tables = other.views.export([ADA], with_texts=True)
    assert [row["text"] for row in tables["content"]] == ["words", "words"]
    assert not one.contents.dropped


def test_a_text_that_no_consent_covers_any_more_is_dropped_and_nothing_else(
    offices: tuple[Office, Office],
) -> None:
    one, other = offices
    one.agree()
    cover = other.cover()
    assert cover is not None
    with one.access.audit.change(ROOT) as change:
        one.contents.forget(change.connection, [ADA])
    late = Text("0" * 32, cover, ADA, None, BEGIN, "user_prompt", Part.PROMPT, "words")
    other.contents.add(late)
    other.contents.save()
    assert other.contents.dropped == {"store": 1}
    assert other.count() == 0


def test_what_is_over_is_swept_and_the_rest_stays(offices: tuple[Office, Office]) -> None:
    one, other = offices
    one.agree()
    one.keep(1, BEGIN - timedelta(days=5))
    one.keep(2)
    one.now[0] += timedelta(days=3)
    assert (other.contents.sweep(), other.contents.sweep()) == (1, 0)
    other.in_force.policy = POLICIES[Profile.STRICT]
    other.contents.clear()
    assert one.count() == 0
    assert one.cover() is None
