"""How many people a number must cover, as a whole server works it out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from codometer.access.actor import SYSTEM
from codometer.people.decisions import NotConfirmed
from codometer.privacy.profile import Profile
from codometer.server import Server
from codometer.settings import Listen, Privacy, Settings
from codometer.store.control_tables import PRIVACY_DECISION
from tests.people.household import PASSWORD, ROOT

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    privacy = Privacy(minimum_people=getattr(request, "param", 1))
    listen = Listen(port=0, otlp_port=0, grpc_port=0)
    server = Server(Settings(data=tmp_path / "data", listen=listen, privacy=privacy))
    yield server
    server.access.close()
    server.store.close()


def decide(server: Server, profile: Profile) -> None:
    """Have a profile in force, a weaker one as if its seven days had passed."""
    decisions = server.people.decisions
    try:
        decisions.decide(profile, "to learn", "a test", ROOT)
    except NotConfirmed:
        version, now = decisions.list_decisions()[-1].version + 1, server.access.audit.now()
        with server.access.control.write() as connection:
            connection.execute(
                insert(PRIVACY_DECISION).values(
                    version=version,
                    profile=profile,
                    purpose="to learn",
                    reason="a test",
                    decided=now,
                    effective=now,
                )
            )


def join(server: Server) -> None:
    invitation = server.access.accounts.invite_first()
    assert invitation is not None
    server.access.accounts.join(invitation.secret, "root", PASSWORD, SYSTEM)


def test_the_profile_says_how_many(server: Server) -> None:
    assert server.find_minimum_people(LONG_AGO) == 1  # nobody signs in
    join(server)
    assert server.find_minimum_people(LONG_AGO) == 5
    decide(server, Profile.STRICT)
    assert server.find_minimum_people(LONG_AGO) == 10


def test_a_weaker_profile_tells_no_more_of_what_came_before(server: Server) -> None:
    join(server)
    decide(server, Profile.OPEN)
    changed = server.people.decisions.find_in_force().effective
    later = changed + timedelta(minutes=1)
    assert server.find_minimum_people(later) == 1
    assert server.find_minimum_people(changed - timedelta(minutes=1)) == 5


@pytest.mark.parametrize("server", [7], indirect=True)
def test_a_setting_may_ask_for_more_than_the_profile(server: Server) -> None:
    assert server.find_minimum_people(LONG_AGO) == 1
    join(server)
    assert server.find_minimum_people(LONG_AGO) == 7
    decide(server, Profile.STRICT)
    assert server.find_minimum_people(LONG_AGO) == 10
