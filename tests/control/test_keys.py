from pathlib import Path

import pytest
from sqlalchemy import select

from codometer.access.actor import Actor, ActorKind
from codometer.access.anchors import Anchors
from codometer.access.audit import AuditLog, Filter
from codometer.access.keys import Keys
from codometer.access.verification import verify
from codometer.errors import BadRequest
from codometer.privacy.encryption import Purpose, make_key
from codometer.privacy.main_key import MainKeySource, MainKeyUnusable, main_key_source
from codometer.settings import Keys as Settings
from codometer.store.control_tables import WRAPPED_KEY
from tests.control.conftest import Open

ROOT = Actor(kind=ActorKind.LOCAL)
ONE, TWO = make_key().secret.hex(), make_key().secret.hex()


class Installation:
    """One database, opened again and again with whatever main key."""

    def __init__(self, open_control: Open, folder: Path) -> None:
        self.folder = folder
        self.audit = AuditLog(open_control(), Anchors(folder / "anchors", folder / "key"))

    def source(self, variable: str = "", previous: str = "") -> MainKeySource:
        return main_key_source(Settings(), self.folder, variable=variable, previous=previous)

    def open(self, variable: str = "", previous: str = "") -> Keys:
        return Keys(self.audit, self.source(variable, previous))

    def rows(self) -> list[tuple[object, ...]]:
        with self.audit.control.read() as connection:
            return [tuple(row) for row in connection.execute(select(WRAPPED_KEY))]

    def actions(self) -> list[str]:
        return [each.entry.action for each in self.audit.list_entries(Filter())]


@pytest.fixture
def installation(open_control: Open, tmp_path: Path) -> Installation:
    return Installation(open_control, tmp_path)


def test_the_first_start_makes_a_main_key_and_one_for_each_purpose(
    installation: Installation,
) -> None:
    keys = installation.open()
    assert {each.purpose: each.number for each in keys.list_keys()} == dict.fromkeys(Purpose, 1)
    assert keys.source == str(installation.folder / "main.key")
    again = installation.open()
    assert again.ring == keys.ring
    assert installation.actions().count("key.create") == 1
    assert verify(installation.audit).faults == ()


def test_no_key_is_in_the_database_in_clear(installation: Installation) -> None:
    ring = installation.open().ring
    for purpose in Purpose:
        assert ring.newest(purpose).secret.hex() not in repr(
            [
                value.hex()
                for row in installation.rows()
                for value in row
                if isinstance(value, bytes)
            ]
        )


def test_without_its_main_key_a_server_does_not_start_and_makes_no_other(
    installation: Installation,
) -> None:
    installation.open()
    rows = installation.rows()
    (installation.folder / "main.key").unlink()
    with pytest.raises(MainKeyUnusable, match="is missing"):
        installation.open()
    assert not (installation.folder / "main.key").exists()
    assert installation.rows() == rows


def test_with_another_main_key_a_server_does_not_start(installation: Installation) -> None:
    installation.open(ONE)
    rows = installation.rows()
    with pytest.raises(MainKeyUnusable, match="did not lock"):
        installation.open(TWO)
    assert installation.rows() == rows
    assert installation.open(ONE).source == "the variable CODOMETER_KEY"


def test_a_file_that_an_operator_names_is_never_made(installation: Installation) -> None:
    path = installation.folder / "elsewhere"
    source = main_key_source(Settings(file=str(path)), installation.folder)
    with pytest.raises(MainKeyUnusable, match="is missing"):
        Keys(installation.audit, source)
    assert not path.exists()


def test_our_main_key_can_be_replaced(installation: Installation) -> None:
    keys = installation.open()
    before = (installation.folder / "main.key").read_bytes()
    keys.rotate_main(ROOT)
    after = (installation.folder / "main.key").read_bytes()
    assert before != after
    assert installation.actions()[0] == "key.rewrap"
    assert installation.open().ring == keys.ring
    (installation.folder / "main.key").write_bytes(before)
    with pytest.raises(MainKeyUnusable):
        installation.open()


@pytest.mark.parametrize("is_old_there", [True, False])
def test_a_replacement_that_was_cut_short_is_finished_at_the_next_start(
    installation: Installation, *, is_old_there: bool
) -> None:
    keys = installation.open()
    path = installation.folder / "main.key"
    before = path.read_bytes()
    keys.rotate_main(ROOT)
    path.rename(path.with_name("main.key.next"))
    if is_old_there:
        path.touch(0o600)
        path.write_bytes(before)
    assert installation.open().ring == keys.ring
    assert path.read_bytes() != before
    assert not path.with_name("main.key.next").exists()


def test_an_operators_main_key_is_replaced_by_giving_both(installation: Installation) -> None:
    ring = installation.open(ONE).ring
    with pytest.raises(BadRequest, match="kept elsewhere"):
        installation.open(ONE).rotate_main(ROOT)
    assert installation.open(TWO, previous=ONE).ring == ring
    assert installation.open(TWO).ring == ring
    with pytest.raises(MainKeyUnusable):
        installation.open(ONE)


def test_an_older_key_still_opens_what_it_locked(installation: Installation) -> None:
    keys, other = installation.open(), installation.open()
    blob = keys.ring.encrypt("ada", "here")
    assert keys.rotate(Purpose.VAULT, ROOT).number == 2
    assert keys.ring.decrypt(blob, "here") == "ada"
    assert other.ring.newest(Purpose.VAULT).number == 1
    other.follow()
    other.follow()
    assert other.ring == keys.ring


@pytest.mark.parametrize("purpose", [Purpose.FINGERPRINT, Purpose.TOMBSTONE])
def test_a_key_that_must_find_things_again_stays(
    installation: Installation, purpose: Purpose
) -> None:
    with pytest.raises(BadRequest, match="never replaced"):
        installation.open().rotate(purpose, ROOT)
