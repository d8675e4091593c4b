from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from codometer.access.actions import Action
from codometer.access.actor import Actor, ActorKind
from codometer.access.admission import Admission, DefaultNames, check_secret
from codometer.access.anchors import Anchors
from codometer.access.audit import AuditLog, Filter
from codometer.access.credential import (
    CredentialRevoked,
    Made,
    NoSuchCredential,
    Wanted,
    find_notice,
)
from codometer.access.credentials import Credentials
from codometer.access.known import KnownCredentials
from codometer.access.permissions import INGEST, Permission
from codometer.access.rate_limit import RateLimit
from codometer.access.secret import PREFIXES, Kind, make_secret
from codometer.access.verification import verify
from codometer.errors import BadRequest, Forbidden, TooManyRequests, Unauthenticated
from codometer.model.signal import AttributeDefault, SignalKind
from tests.control.conftest import Open

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Actor(kind=ActorKind.LOCAL)
NAMES = DefaultNames(
    team=("team.id", "team"), cost_center=("cost_center",), person=("enduser.id", "user.email")
)


class Server:
    """What one server has of credentials; its clock stands until it is moved."""

    def __init__(self, open_control: Open, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.now = BEGIN
        self.control = open_control()
        self.audit = AuditLog(
            self.control, Anchors(folder / "anchors", folder / "key"), lambda: self.now
        )
        self.known = KnownCredentials(self.audit)
        self.credentials = Credentials(self.audit, self.known)
        self.admission = self.admit(required=True)

    def admit(self, *, required: bool, limit: RateLimit | None = None) -> Admission:
        return Admission(
            self.known, required=required, names=NAMES, limit=limit, now=lambda: self.now
        )

    def create(self, kind: Kind = Kind.INGEST, **wanted: Any) -> Made:  # noqa: ANN401 - any field
        return self.credentials.create(Wanted(kind=kind, name="laptops", **wanted), ADA)

    def is_good(self, secret: str) -> bool:
        try:
            check_secret(self.known, secret, self.now)
        except Unauthenticated:
            return False
        return True

    def send(
        self,
        authorization: str | None,
        kind: SignalKind = SignalKind.LOGS,
        *,
        address: str = "203.0.113.77",
    ) -> tuple[AttributeDefault, ...]:
        return self.admission(authorization, kind, address)

    def actions(self) -> list[str]:
        return [each.entry.action for each in reversed(self.audit.list_entries(Filter()))]


@pytest.fixture
def server(open_control: Open, tmp_path: Path) -> Server:
    return Server(open_control, tmp_path / "one")


@pytest.mark.parametrize("kind", Kind)
def test_a_secret_is_good_at_once_and_is_nowhere_in_clear(
    server: Server, kind: Kind, tmp_path: Path
) -> None:
    made = server.create(kind)
    assert made.secret.startswith(PREFIXES[kind])
    assert server.is_good(made.secret)
    assert made.secret not in repr(made)
    with server.control.read() as connection:
        for table in ("credential", "credential_secret", "audit_entry"):
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            assert made.secret[8:-4] not in str(rows)
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert made.secret[8:-4].encode() not in held


def test_a_secret_that_nobody_made_is_unknown(server: Server) -> None:
    server.create()
    with pytest.raises(Unauthenticated, match="not known, or was revoked"):
        check_secret(server.known, make_secret(Kind.INGEST), server.now)


def test_a_slip_of_the_pen_is_told_from_an_unknown_secret(server: Server) -> None:
    secret = server.create().secret
    slipped = secret[:-10] + ("a" if secret[-10] != "a" else "b") + secret[-9:]
    with pytest.raises(Unauthenticated, match="not spelt"):
        check_secret(server.known, slipped, server.now)


def test_a_secret_ends_when_its_time_is_over(server: Server) -> None:
    made = server.create(lifetime=timedelta(days=1))
    server.now += timedelta(hours=23, minutes=59)
    assert server.is_good(made.secret)
    server.now += timedelta(minutes=1)
    with pytest.raises(Unauthenticated, match="expired"):
        check_secret(server.known, made.secret, server.now)


def test_a_revoked_credential_reads_like_an_unknown_one(server: Server) -> None:
    made = server.create()
    revoked = server.credentials.revoke(made.credential.id, ADA)
    assert revoked.revoked == BEGIN
    with pytest.raises(Unauthenticated, match="not known, or was revoked"):
        check_secret(server.known, made.secret, server.now)


def test_revoking_ends_all_secrets_of_a_credential(server: Server) -> None:
    made = server.create()
    newer = server.credentials.rotate(made.credential.id, ADA)
    server.credentials.revoke(made.credential.id, ADA)
    assert not server.is_good(made.secret)
    assert not server.is_good(newer.secret)


@pytest.mark.parametrize("act", ["rotate", "revoke"])
def test_what_is_revoked_stays_so(server: Server, act: str) -> None:
    made = server.create()
    server.credentials.revoke(made.credential.id, ADA)
    with pytest.raises(CredentialRevoked):
        getattr(server.credentials, act)(made.credential.id, ADA)
    with pytest.raises(NoSuchCredential):
        getattr(server.credentials, act)("crd_none", ADA)


def test_while_it_is_rotated_both_secrets_are_good(server: Server) -> None:
    old = server.create()
    server.now += timedelta(days=100)
    new = server.credentials.rotate(old.credential.id, ADA, overlap=timedelta(days=7))
    assert new.secret != old.secret
    assert [each.expires for each in new.credential.secrets] == [
        server.now + timedelta(days=7),
        server.now + timedelta(days=365),
    ]
    server.now += timedelta(days=6)
    assert server.is_good(old.secret)
    server.now += timedelta(days=1)
    assert not server.is_good(old.secret)
    assert server.is_good(new.secret)


def test_a_secret_that_ends_sooner_is_not_made_longer_by_an_overlap(server: Server) -> None:
    old = server.create(lifetime=timedelta(days=2))
    new = server.credentials.rotate(old.credential.id, ADA, overlap=timedelta(days=7))
    assert new.credential.secrets[0].expires == BEGIN + timedelta(days=2)


def test_a_new_secret_lives_no_longer_than_the_one_before_unless_asked(server: Server) -> None:
    old = server.create(lifetime=timedelta(days=10))
    server.now += timedelta(days=9)
    new = server.credentials.rotate(old.credential.id, ADA)
    assert new.credential.secrets[-1].expires == server.now + timedelta(days=10)
    with pytest.raises(BadRequest, match="lives from 1"):
        server.credentials.rotate(old.credential.id, ADA, lifetime=timedelta(0))
    asked = server.credentials.rotate(old.credential.id, ADA, lifetime=timedelta(days=90))
    assert asked.credential.secrets[-1].expires == server.now + timedelta(days=90)


def test_without_an_overlap_the_old_secret_ends_now(server: Server) -> None:
    old = server.create()
    server.credentials.rotate(old.credential.id, ADA, overlap=timedelta(0))
    assert not server.is_good(old.secret)


@pytest.mark.parametrize("days", [-1, 366])
def test_an_overlap_that_is_none_is_refused(server: Server, days: int) -> None:
    made = server.create()
    with pytest.raises(BadRequest, match="overlap"):
        server.credentials.rotate(made.credential.id, ADA, overlap=timedelta(days=days))


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": " spaces "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"team": "\x1b[31m"}, "team"),
        ({"person": ""}, "person"),
        ({"cost_center": "\u202e"}, "cost centre"),
        ({"binds_team": True}, "no team"),
        ({"scopes": frozenset()}, "scopes"),
        ({"scopes": frozenset({Permission.READ_NUMBERS})}, "scopes"),
        ({"kind": Kind.SERVICE, "team": "x"}, "only a credential for ingest"),
        ({"kind": Kind.SERVICE, "scopes": INGEST}, "scopes"),
        ({"lifetime": timedelta(days=366)}, "365"),
        ({"lifetime": timedelta(0)}, "365"),
        ({"addresses": ("10.0.0.1/8",)}, "no network"),
        ({"addresses": ("office",)}, "no network"),
        ({"addresses": ("10.0.0.0/8",) * 51}, "more than 50"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    server: Server, wanted: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(BadRequest, match=complaint):
        server.credentials.create(Wanted(**{"kind": Kind.INGEST, "name": "n", **wanted}), ADA)
    assert server.credentials.list_credentials() == []
    assert server.actions() == [Action.AUDIT_BEGIN]


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("203.0.113.77", True),
        ("::ffff:203.0.113.77", True),
        ("2001:db8::7", True),
        ("203.0.114.1", False),
        ("2001:db9::7", False),
        ("", False),
    ],
)
def test_a_credential_for_networks_is_good_there_alone(
    server: Server, address: str, *, is_good: bool
) -> None:
    made = server.create(addresses=("203.0.113.0/24", "2001:db8::/32"))
    assert [*map(str, made.credential.addresses)] == ["203.0.113.0/24", "2001:db8::/32"]
    if is_good:
        assert server.send(f"Bearer {made.secret}", address=address) == ()
    else:
        with pytest.raises(Forbidden, match="not good from this address"):
            server.send(f"Bearer {made.secret}", address=address)
        server.known.save_uses()
        assert Action.CREDENTIAL_REFUSED in server.actions()


def test_one_credential_cannot_send_for_all_the_others(server: Server) -> None:
    busy, other = server.create(), server.create()
    clock = [0.0]
    limit = RateLimit(4, 2.0, now=lambda: clock[0])
    admission = server.admit(required=True, limit=limit)
    for _ in range(4):
        admission(f"Bearer {busy.secret}", SignalKind.LOGS, "203.0.113.77")
    with pytest.raises(TooManyRequests, match="too many requests with one credential"):
        admission(f"Bearer {busy.secret}", SignalKind.LOGS, "203.0.113.77")
    admission(f"Bearer {other.secret}", SignalKind.LOGS, "203.0.113.77")
    clock[0] = 0.5
    admission(f"Bearer {busy.secret}", SignalKind.LOGS, "203.0.113.77")


@pytest.mark.parametrize(
    ("days_left", "notice"), [(15, None), (14, 14), (8, 14), (7, 7), (2, 7), (1, 1), (0, None)]
)
def test_of_a_credential_that_ends_soon_is_told_in_time(
    server: Server, days_left: int, notice: int | None
) -> None:
    made = server.create(lifetime=timedelta(days=30))
    server.now += timedelta(days=30 - days_left)
    assert find_notice(made.credential, server.now) == notice
    ending = server.credentials.list_ending(server.now)
    assert [each.id for each in ending] == ([made.credential.id] if notice else [])


def test_of_a_credential_that_was_renewed_or_revoked_is_not_told(server: Server) -> None:
    renewed = server.create(lifetime=timedelta(days=5))
    server.credentials.rotate(renewed.credential.id, ADA, lifetime=timedelta(days=90))
    revoked = server.create(lifetime=timedelta(days=5))
    server.credentials.revoke(revoked.credential.id, ADA)
    late, soon = (server.create(lifetime=timedelta(days=days)) for days in (9, 3))
    ending = server.credentials.list_ending(server.now)
    assert [each.id for each in ending] == [soon.credential.id, late.credential.id]


def test_another_server_learns_of_changes_when_it_looks(open_control: Open, tmp_path: Path) -> None:
    one, other = Server(open_control, tmp_path / "one"), Server(open_control, tmp_path / "other")
    made = one.create()
    assert not other.is_good(made.secret)
    other.known.follow()
    assert other.is_good(made.secret)
    one.credentials.revoke(made.credential.id, ADA)
    other.known.follow()
    assert not other.is_good(made.secret)


def test_a_server_that_starts_knows_what_there_is(server: Server) -> None:
    made = server.create()
    assert KnownCredentials(server.audit).has_ingest(server.now)
    server.credentials.revoke(made.credential.id, ADA)
    assert not KnownCredentials(server.audit).has_ingest(server.now)


@pytest.mark.parametrize("kind", [Kind.SERVICE, Kind.PERSONAL, Kind.SCRAPE])
def test_only_a_credential_for_ingest_lets_clients_prove_themselves(
    server: Server, kind: Kind
) -> None:
    server.create(kind)
    assert not server.known.has_ingest(server.now)
    server.create(lifetime=timedelta(days=1))
    assert server.known.has_ingest(server.now)
    assert not server.known.has_ingest(server.now + timedelta(days=1))


def test_use_is_written_down_to_five_minutes_without_the_host(server: Server) -> None:
    made = server.create()

    def use(minutes: int) -> tuple[datetime | None, str]:
        server.now = BEGIN + timedelta(minutes=minutes)
        server.send(f"Bearer {made.secret}")
        server.known.save_uses()
        secret = server.credentials.list_credentials()[0].secrets[0]
        return secret.last_used, secret.last_address

    assert use(1) == (BEGIN + timedelta(minutes=1), "203.0.113.0/24")
    assert use(5)[0] == BEGIN + timedelta(minutes=1)
    assert use(6)[0] == BEGIN + timedelta(minutes=6)
    assert server.actions().count(Action.CREDENTIAL_FIRST_USE) == 1
    assert verify(server.audit).faults == ()


def test_refusals_are_counted_and_written_down_together(server: Server) -> None:
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            server.send(f"Bearer {make_secret(Kind.INGEST)}")
    with pytest.raises(Unauthenticated):
        server.send(None)
    server.known.save_uses()
    entries = server.audit.list_entries(Filter(actions=(Action.CREDENTIAL_REFUSED,)))
    assert {(each.entry.reason, each.entry.after) for each in entries} == {
        ("unknown", '{"address":"203.0.113.0/24","requests":3}'),
        ("missing", '{"address":"203.0.113.0/24","requests":1}'),
    }


def test_refusals_from_everywhere_do_not_fill_the_log(server: Server) -> None:
    for number in range(250):
        with pytest.raises(Unauthenticated):
            server.admission(None, SignalKind.LOGS, f"10.1.{number}.1")
    server.known.save_uses()
    entries = server.audit.list_entries(Filter(actions=(Action.CREDENTIAL_REFUSED,), limit=500))
    assert len(entries) == 101
    assert '"requests":150' in entries[0].entry.after


def test_what_was_done_is_in_the_log_without_names(server: Server) -> None:
    made = server.create(team="checkout", person="ada@example.com")
    server.credentials.rotate(made.credential.id, ADA)
    server.credentials.revoke(made.credential.id, ADA)
    assert server.actions() == [
        Action.AUDIT_BEGIN,
        Action.CREDENTIAL_CREATE,
        Action.CREDENTIAL_ROTATE,
        Action.CREDENTIAL_REVOKE,
    ]
    told = str(server.audit.list_entries(Filter()))
    assert "ada@example.com" not in told
    assert "laptops" not in told
    assert '"has_person":true' in told
    assert verify(server.audit).faults == ()


# What receivers ask.


@pytest.mark.parametrize("before", ["Bearer ", "bearer  ", "BEARER\t", " Bearer ", "Bearer%20"])
def test_the_word_before_a_secret_may_be_written_as_clients_do(server: Server, before: str) -> None:
    assert server.send(before + server.create().secret) == ()


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b"]
)
def test_where_a_credential_is_needed_nothing_else_will_do(
    server: Server, authorization: str | None
) -> None:
    with pytest.raises(Unauthenticated, match="none was sent"):
        server.send(authorization)


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Bearer of-some-proxy"])
def test_where_none_is_needed_what_is_not_ours_is_passed_over(
    server: Server, authorization: str | None
) -> None:
    assert server.admit(required=False)(authorization, SignalKind.LOGS, "") == ()


def test_where_none_is_needed_one_of_ours_must_still_be_good(server: Server) -> None:
    with pytest.raises(Unauthenticated, match="not spelt"):
        server.admit(required=False)("Bearer cdm_ing_short", SignalKind.LOGS, "")


def test_a_credential_may_do_only_what_its_scopes_say(server: Server) -> None:
    metrics = server.create(scopes=frozenset({Permission.INGEST_METRICS}))
    assert server.send(f"Bearer {metrics.secret}", SignalKind.METRICS) == ()
    with pytest.raises(Forbidden, match="logs"):
        server.send(f"Bearer {metrics.secret}", SignalKind.LOGS)
    reading = server.create(Kind.SERVICE)
    with pytest.raises(Forbidden, match="traces"):
        server.send(f"Bearer {reading.secret}", SignalKind.TRACES)


def test_a_credential_tells_team_cost_centre_and_person(server: Server) -> None:
    made = server.create(team="checkout", cost_center="4711", person="ada")
    assert server.send(f"Bearer {made.secret}") == (
        AttributeDefault("team.id", "checkout", ("team.id", "team")),
        AttributeDefault("cost_center", "4711", ("cost_center",)),
        AttributeDefault("enduser.id", "ada", ("enduser.id", "user.email")),
    )


def test_a_team_that_binds_holds_whatever_the_client_says(server: Server) -> None:
    made = server.create(team="checkout", binds_team=True)
    assert server.send(f"Bearer {made.secret}") == (AttributeDefault("team.id", "checkout", ()),)
