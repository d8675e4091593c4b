import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from codometer.access import chain
from codometer.access.actions import Action
from codometer.access.actor import Actor, ActorKind
from codometer.access.anchors import Anchors
from codometer.access.audit import AuditLog, Filter, recorded
from codometer.access.verification import FaultKind, Verification, verify
from codometer.errors import StoreUnusable
from codometer.store.control import Control
from codometer.store.control_tables import AUDIT_ENTRY, AUDIT_HEAD, AUDIT_SEAL, INSTANCE
from tests.control.conftest import Open

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Actor(kind=ActorKind.LOCAL, id="ada", address="127.0.0.0/24", request="r1")


@dataclass
class Clock:
    """Every look at it is an hour later."""

    at: datetime = BEGIN
    step: timedelta = field(default=timedelta(hours=1))

    def __call__(self) -> datetime:
        self.at += self.step
        return self.at


def open_log(control: Control, folder: Path) -> AuditLog:
    return AuditLog(control, Anchors(folder / "anchors", folder / "key"), Clock())


@pytest.fixture
def log(control: Control, tmp_path: Path) -> AuditLog:
    return open_log(control, tmp_path)


def act(log: AuditLog, count: int = 1, **values: str) -> None:
    for number in range(count):
        with log.change(ADA) as change:
            change.record(Action.CREDENTIAL_CREATE, object=f"o{number}", **values)  # type: ignore[arg-type] # texts only


def tamper(log: AuditLog, *statements: object) -> None:
    with log.control.write() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload] # any statement


def kinds(found: Verification) -> set[FaultKind]:
    return {fault.kind for fault in found.faults}


def rehash(connection: Connection, since: int) -> None:
    """Compute the chain again from an entry on, as somebody would who knows how it works."""
    rows = connection.execute(select(AUDIT_ENTRY).order_by(AUDIT_ENTRY.c.seq)).mappings().all()
    previous = chain.first_hash(connection.execute(select(INSTANCE.c.id)).scalar_one())
    for row in rows:
        each = recorded(row)
        found = chain.entry_hash(each.entry, previous) if each.entry.seq >= since else each.hash
        mine = AUDIT_ENTRY.c.seq == each.entry.seq
        connection.execute(update(AUDIT_ENTRY).where(mine).values(hash=found))
        connection.execute(update(AUDIT_HEAD).values(seq=each.entry.seq, hash=found))
        previous = found


def test_a_log_begins_with_its_installation_and_is_whole(log: AuditLog) -> None:
    (first,) = log.list_entries(Filter())
    assert first.entry.action == Action.AUDIT_BEGIN
    assert (first.entry.seq, first.entry.actor_kind) == (1, "system")
    found = verify(log)
    assert (found.entries, found.first, found.last, found.faults) == (1, 1, 1, ())


def test_an_entry_says_who_did_what_when_and_to_what(log: AuditLog) -> None:
    with log.change(ADA) as change:
        change.record(
            Action.CREDENTIAL_ROTATE, object="crd_1", reason="old", before={"a": 1}, after={"a": 2}
        )
    entry = log.list_entries(Filter())[0].entry
    assert (entry.actor_kind, entry.actor, entry.address) == ("local", "ada", "127.0.0.0/24")
    assert (entry.action, entry.object, entry.reason) == ("credential.rotate", "crd_1", "old")
    assert (entry.before, entry.after, entry.request) == ('{"a":1}', '{"a":2}', "r1")
    assert entry.time == "2026-01-01T02:00:00.000Z"


def test_a_change_that_fails_leaves_no_entry_and_no_anchor(log: AuditLog, tmp_path: Path) -> None:
    before = (tmp_path / "anchors").read_bytes()
    with suppress(ZeroDivisionError), log.change(ADA) as change:
        change.record(Action.CREDENTIAL_CREATE, object="x")
        raise ZeroDivisionError
    assert len(log.list_entries(Filter())) == 1
    assert (tmp_path / "anchors").read_bytes() == before
    assert verify(log).faults == ()


def test_the_chain_can_be_checked_without_our_code(log: AuditLog) -> None:
    act(log, 3)
    with log.control.read() as connection:
        installation = connection.execute(select(INSTANCE.c.id)).scalar_one()
        rows = connection.execute(select(AUDIT_ENTRY).order_by(AUDIT_ENTRY.c.seq)).mappings().all()
    previous = sha256(b"codometer-audit-v1" + installation.encode()).hexdigest()
    for row in rows:
        entry = {**row, "prev": previous}
        told = entry.pop("hash")
        spelt = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert sha256(spelt.encode() + bytes.fromhex(previous)).hexdigest() == told
        previous = told


@pytest.mark.parametrize("column", [c.name for c in AUDIT_ENTRY.c if c.name not in {"seq", "hash"}])
def test_an_edited_field_is_found(log: AuditLog, column: str) -> None:
    act(log, 3)
    tamper(log, update(AUDIT_ENTRY).where(AUDIT_ENTRY.c.seq == 2).values(**{column: "edited"}))
    (fault,) = verify(log).faults
    assert (fault.kind, fault.seq) == (FaultKind.CHANGED, 2)


def test_an_edited_hash_is_found(log: AuditLog) -> None:
    act(log, 3)
    tamper(log, update(AUDIT_ENTRY).where(AUDIT_ENTRY.c.seq == 2).values(hash="0" * 64))
    assert kinds(verify(log)) == {FaultKind.CHANGED, FaultKind.ANCHOR}


def test_a_deleted_entry_is_found(log: AuditLog) -> None:
    act(log, 3)
    tamper(log, delete(AUDIT_ENTRY).where(AUDIT_ENTRY.c.seq == 2))
    (fault,) = verify(log).faults
    assert (fault.kind, fault.seq) == (FaultKind.MISSING, 3)


def test_a_deleted_beginning_is_found(log: AuditLog) -> None:
    act(log, 3)
    tamper(log, delete(AUDIT_ENTRY).where(AUDIT_ENTRY.c.seq <= 2))
    assert kinds(verify(log)) == {FaultKind.MISSING}


def test_two_entries_that_changed_places_are_found(log: AuditLog) -> None:
    act(log, 3)
    seq = AUDIT_ENTRY.c.seq
    tamper(
        log,
        update(AUDIT_ENTRY).where(seq == 2).values(seq=99),
        update(AUDIT_ENTRY).where(seq == 3).values(seq=2),
        update(AUDIT_ENTRY).where(seq == 99).values(seq=3),
    )
    assert [(fault.kind, fault.seq) for fault in verify(log).faults] == [
        (FaultKind.CHANGED, 2),
        (FaultKind.ANCHOR, 2),
        (FaultKind.CHANGED, 3),
        (FaultKind.ANCHOR, 3),
        (FaultKind.CHANGED, 4),
    ]


def test_an_inserted_entry_is_found(log: AuditLog) -> None:
    act(log, 3)
    seq = AUDIT_ENTRY.c.seq
    with log.control.read() as connection:
        row = dict(connection.execute(select(AUDIT_ENTRY).where(seq == 3)).mappings().one())
    tamper(
        log,
        update(AUDIT_ENTRY).where(seq == 4).values(seq=5),
        update(AUDIT_ENTRY).where(seq == 3).values(seq=4),
        insert(AUDIT_ENTRY).values(**row),
        update(AUDIT_HEAD).values(seq=5),
    )
    assert FaultKind.CHANGED in kinds(verify(log))


def test_a_cut_off_end_is_found(log: AuditLog) -> None:
    act(log, 3)
    tamper(log, delete(AUDIT_ENTRY).where(AUDIT_ENTRY.c.seq == 4))
    assert kinds(verify(log)) == {FaultKind.END_MISSING}


def test_a_cut_off_end_is_found_even_when_the_head_was_moved(log: AuditLog) -> None:
    act(log, 3)
    with log.control.read() as connection:
        statement = select(AUDIT_ENTRY.c.hash).where(AUDIT_ENTRY.c.seq == 3)
        earlier = connection.execute(statement).scalar_one()
    tamper(
        log,
        delete(AUDIT_ENTRY).where(AUDIT_ENTRY.c.seq == 4),
        update(AUDIT_HEAD).values(seq=3, hash=earlier),
    )
    (fault,) = verify(log).faults
    assert (fault.kind, fault.seq) == (FaultKind.END_MISSING, 4)


def test_a_log_written_anew_from_some_entry_on_is_found_by_its_anchors(log: AuditLog) -> None:
    act(log, 3)
    with log.control.write() as connection:
        mine = AUDIT_ENTRY.c.seq == 2
        connection.execute(update(AUDIT_ENTRY).where(mine).values(object="another"))
        rehash(connection, since=2)
    assert [(fault.kind, fault.seq) for fault in verify(log).faults] == [
        (FaultKind.ANCHOR, 2),
        (FaultKind.ANCHOR, 3),
        (FaultKind.ANCHOR, 4),
    ]


def test_entries_after_the_last_anchor_are_counted(log: AuditLog, tmp_path: Path) -> None:
    act(log, 3)
    lines = (tmp_path / "anchors").read_text().splitlines(keepends=True)
    (tmp_path / "anchors").write_text("".join(lines[:-2]))
    found = verify(log)
    assert (found.faults, found.unanchored) == ((), 2)


def test_lost_anchors_are_found(log: AuditLog, tmp_path: Path) -> None:
    (tmp_path / "anchors").unlink()
    assert kinds(verify(log)) == {FaultKind.ANCHOR}


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        '{"seq": 2}',
        '{"seq": 2, "hash": "00", "mac": "00"}',
        "[]",
        "\xff",
    ],
)
def test_an_anchor_made_without_the_key_is_found(log: AuditLog, tmp_path: Path, line: str) -> None:
    act(log, 1)
    with (tmp_path / "anchors").open("a", encoding="latin-1") as file:
        file.write(f"{line}\n")
    assert kinds(verify(log)) == {FaultKind.ANCHOR}


def test_the_key_is_never_made_anew_beside_old_anchors(control: Control, tmp_path: Path) -> None:
    open_log(control, tmp_path)
    (tmp_path / "key").unlink()
    with pytest.raises(StoreUnusable, match="is gone"):
        open_log(control, tmp_path)


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short")
    with pytest.raises(StoreUnusable, match="shorter"):
        Anchors(tmp_path / "anchors", tmp_path / "key")


def test_a_place_where_no_key_can_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="nowhere"):
        Anchors(tmp_path / "anchors", tmp_path / "nowhere" / "key")


def test_an_anchor_that_cannot_be_written_fails_no_change(
    log: AuditLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "anchors").rename(tmp_path / "elsewhere")
    (tmp_path / "anchors").mkdir()
    act(log)
    assert "could not be anchored" in caplog.text
    (tmp_path / "anchors").rmdir()
    (tmp_path / "elsewhere").rename(tmp_path / "anchors")
    assert verify(log).unanchored == 1


def test_servers_that_write_at_once_make_one_chain(open_control: Open, tmp_path: Path) -> None:
    logs = [open_log(open_control(), tmp_path) for _ in range(2)]
    threads = [threading.Thread(target=act, args=(log, 10)) for log in logs for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    found = verify(logs[0])
    assert (found.entries, found.faults) == (41, ())


def test_a_second_server_has_anchors_of_its_own(open_control: Open, tmp_path: Path) -> None:
    act(open_log(open_control(), tmp_path), 2)
    (tmp_path / "second").mkdir()
    second = open_log(open_control(), tmp_path / "second")
    found = verify(second)
    assert (found.faults, found.anchors, found.unanchored) == ((), 1, 0)
    act(second)
    assert verify(second).faults == ()


def test_old_entries_are_let_go_and_the_rest_still_proves_itself(log: AuditLog) -> None:
    act(log, 9)
    gone = log.seal(BEGIN + timedelta(hours=5, minutes=30))
    entries = log.list_entries(Filter())
    found = verify(log)
    assert gone == 5
    assert [entries[-1].entry.seq, entries[0].entry.action] == [6, Action.AUDIT_SEAL]
    assert (found.first, found.sealed, found.faults) == (6, 5, ())
    act(log, 2)
    assert log.seal(BEGIN + timedelta(hours=7, minutes=30)) == 2
    assert verify(log).faults == ()


def test_nothing_old_means_nothing_to_let_go(log: AuditLog) -> None:
    act(log, 2)
    assert log.seal(BEGIN) == 0
    assert len(log.list_entries(Filter())) == 3


def test_the_last_entry_is_never_let_go(log: AuditLog) -> None:
    act(log, 2)
    assert log.seal(BEGIN + timedelta(days=900)) == 2
    assert verify(log).faults == ()


def test_a_seal_that_no_entry_tells_of_is_found(log: AuditLog) -> None:
    act(log, 4)
    with log.control.read() as connection:
        statement = select(AUDIT_ENTRY.c.hash).where(AUDIT_ENTRY.c.seq == 3)
        earlier = connection.execute(statement).scalar_one()
    tamper(
        log,
        delete(AUDIT_ENTRY).where(AUDIT_ENTRY.c.seq <= 3),
        insert(AUDIT_SEAL).values(seq=3, hash=earlier, sealed=BEGIN),
    )
    assert kinds(verify(log)) == {FaultKind.SEAL}


def test_a_seal_that_was_edited_is_found(log: AuditLog) -> None:
    act(log, 4)
    log.seal(BEGIN + timedelta(hours=3, minutes=30))
    tamper(log, update(AUDIT_SEAL).values(hash="0" * 64))
    assert kinds(verify(log)) >= {FaultKind.SEAL, FaultKind.ANCHOR}


def test_a_differing_seal_entry_is_found(log: AuditLog) -> None:
    act(log, 4)
    log.seal(BEGIN + timedelta(hours=3, minutes=30))
    sealing = AUDIT_ENTRY.c.action == Action.AUDIT_SEAL
    tamper(log, update(AUDIT_ENTRY).where(sealing).values(after="[]"))
    assert kinds(verify(log)) == {FaultKind.CHANGED, FaultKind.SEAL}


def test_no_more_than_a_hundred_faults_are_told(log: AuditLog) -> None:
    with log.change(ADA) as change:
        for _ in range(150):
            change.record(Action.CREDENTIAL_CREATE, object="x")
    tamper(log, update(AUDIT_ENTRY).values(object="y"))
    assert len(verify(log).faults) == 100


@pytest.mark.parametrize(
    ("wanted", "seqs"),
    [
        (Filter(), [5, 4, 3, 2, 1]),
        (Filter(limit=2), [5, 4]),
        (Filter(before=3), [2, 1]),
        (Filter(actions=(Action.CREDENTIAL_REVOKE,)), [5]),
        (Filter(actions=(Action.CREDENTIAL_REVOKE, Action.CREDENTIAL_CREATE)), [5, 4, 3, 2]),
        (Filter(actor="grace"), [5]),
        (Filter(objects=("o1",)), [3]),
        (Filter(objects=("o1", "o9")), [5, 3]),
        (Filter(outcome="refused"), []),
        (Filter(since=BEGIN + timedelta(hours=4)), [5, 4]),
        (Filter(until=BEGIN + timedelta(hours=2)), [1]),
        (Filter(actor="ada", until=BEGIN + timedelta(hours=3), limit=1), [2]),
    ],
)
def test_entries_can_be_narrowed_down(log: AuditLog, wanted: Filter, seqs: list[int]) -> None:
    act(log, 3)
    with log.change(Actor(kind=ActorKind.CREDENTIAL, id="grace")) as change:
        change.record(Action.CREDENTIAL_REVOKE, object="o9")
    assert [each.entry.seq for each in log.list_entries(wanted)] == seqs


def test_a_secret_never_stays_in_an_entry(log: AuditLog) -> None:
    secret = "cdm_ing_" + "a1B2" * 9
    with log.change(Actor(kind=ActorKind.CREDENTIAL, id=secret, request=secret)) as change:
        change.record(
            Action.CREDENTIAL_CREATE,
            object=f"x{secret}",
            reason=secret,
            before={"a": secret, "b": [secret], "c": {"d": secret}},
            after={"a": f"Bearer {secret}\n"},
        )
    with log.control.read() as connection:
        rows = connection.execute(text("SELECT * FROM audit_entry")).all()
    assert "a1B2" not in str(rows)
    assert "cdm_ing_…" in str(rows)
    assert verify(log).faults == ()
