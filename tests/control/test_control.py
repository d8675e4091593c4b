import stat
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from codometer.errors import StoreUnusable
from codometer.store.control import (
    FILE_NAME,
    NEWEST,
    Control,
    migrate,
    migrations,
    rename_pseudonyms,
)
from codometer.store.control_tables import (
    CREDENTIAL_SECRET,
    GENERATION,
    INSTANCE,
    METADATA,
    Pseudonym,
)
from codometer.store.migrate import SchemaTooNew
from tests.control.conftest import Open
from tests.postgresql import Postgresql

REVISIONS = [
    each.revision
    for each in reversed([*ScriptDirectory.from_config(migrations()).walk_revisions()])
]
NEPAL = timezone(timedelta(hours=5, minutes=45))


def empty(control: Control) -> None:
    """Take the tables away again, as in a database that nobody has used."""
    with control.write() as connection:
        METADATA.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))


def test_an_empty_database_becomes_what_the_code_expects(control: Control) -> None:
    with control.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_revision_leads_on_to_the_newest(control: Control, revision: str) -> None:
    empty(control)
    with control.write() as connection:
        migrate(connection, revision)
        here = MigrationContext.configure(connection).get_current_revision()
        connection.execute(insert(GENERATION).values(name="kept", value=7))
    assert here == revision
    with control.write() as connection:
        migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert connection.execute(select(GENERATION.c.value)).scalar_one() == 7


def test_the_revisions_are_one_line_without_branches() -> None:
    scripts = ScriptDirectory.from_config(migrations())
    assert scripts.get_heads() == [REVISIONS[-1]]
    assert REVISIONS[-1] == NEWEST
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


NO_PSEUDONYM = {
    "account_identity.subject": "what a provider calls an account",
    "credential.person": "what a client would say",
    "treatment.subject": "a number by chance",
}
OWNERS = {
    "identity.pseudonym": "Vault.drop",
    "identity_link.stronger": "Vault.drop",
    "identity_link.weaker": "Vault.drop",
    "identity_move.pseudonym": "Vault.drop",
    "team_membership.person": "Memberships.rename",
}


def columns() -> list[Column[Any]]:
    return [column for table in METADATA.sorted_tables for column in table.columns]


def test_every_column_that_names_persons_says_that_it_does() -> None:
    named = {str(each) for each in columns() if each.name in {"person", "subject", "pseudonym"}}
    typed = {str(each) for each in columns() if isinstance(each.type, Pseudonym)}
    assert named - typed == NO_PSEUDONYM.keys()
    assert {str(each) for each in columns() if each.primary_key} & typed == OWNERS.keys()


@pytest.mark.parametrize(
    "column",
    [each for each in columns() if isinstance(each.type, Pseudonym) and not each.primary_key],
    ids=str,
)
def test_a_newer_pseudonym_is_put_wherever_the_old_one_is(
    control: Control, column: Column[Any]
) -> None:
    # SQLAlchemy does not know what our instants are in Python.
    sample = {int: 1, str: "x", bytes: b"x", object: datetime(2026, 11, 23, tzinfo=UTC)}
    with control.write() as connection:
        asked = (each for each in column.table.foreign_keys if not each.parent.nullable)
        for table in (*(each.column.table for each in asked), column.table):
            needed = [each for each in table.columns if not each.nullable]
            row = {each.name: sample[each.type.python_type] for each in needed}
            connection.execute(insert(table).values(row))
        connection.execute(update(column.table).values({column: "p_old"}))
        rename_pseudonyms(connection, {"p_other": "p_none", "p_old": "p_new"})
        assert connection.execute(select(column)).scalars().all() == ["p_new"]


def test_a_migration_that_fails_leaves_nothing_behind(control: Control) -> None:
    empty(control)
    with suppress(ZeroDivisionError), control.write() as connection:
        migrate(connection)
        raise ZeroDivisionError
    with control.read() as connection:
        assert inspect(connection).get_table_names() == []


def test_a_newer_schema_is_left_alone(open_control: Open) -> None:
    with open_control().write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="9999"):
        open_control()


def test_servers_that_start_at_once_migrate_once(open_control: Open) -> None:
    empty(open_control())
    faults: list[BaseException] = []

    def start() -> None:
        try:
            open_control()
        except BaseException as fault:  # noqa: BLE001 - looked at below
            faults.append(fault)

    run_all([start] * 4)
    assert faults == []


def test_what_fails_half_way_is_undone(control: Control) -> None:
    with suppress(ZeroDivisionError), control.write() as connection:
        connection.execute(insert(GENERATION).values(name="x", value=1))
        raise ZeroDivisionError
    with control.read() as connection:
        assert connection.execute(select(GENERATION)).all() == []


def test_changes_at_the_same_time_all_count(open_control: Open) -> None:
    first, second = open_control(), open_control()
    with first.write() as connection:
        connection.execute(insert(GENERATION).values(name="x", value=0))

    def add(control: Control) -> None:
        for _ in range(10):
            with control.write() as connection:
                grown = GENERATION.c.value + 1
                connection.execute(update(GENERATION).values(value=grown))

    run_all([lambda: add(first), lambda: add(first), lambda: add(second), lambda: add(second)])
    with first.read() as connection:
        assert connection.execute(select(GENERATION.c.value)).scalar_one() == 40


def test_a_reader_sees_one_moment(control: Control) -> None:
    with control.read() as reader:
        assert reader.execute(select(GENERATION)).all() == []
        with control.write() as writer:
            writer.execute(insert(GENERATION).values(name="x", value=1))
        assert reader.execute(select(GENERATION)).all() == []


def test_an_instant_comes_back_as_it_was_wherever_it_was_told(control: Control) -> None:
    told = datetime(2026, 3, 1, 2, 30, 0, 123_456, tzinfo=NEPAL)
    with control.write() as connection:
        connection.execute(insert(INSTANCE).values(one=1, id="i", created=told))
    with control.read() as connection:
        found = connection.execute(select(INSTANCE.c.created)).scalar_one()
    assert found == told
    assert found.tzinfo is UTC


def test_a_secret_belongs_to_a_credential(control: Control) -> None:
    now = datetime.now(UTC)
    orphan = {"credential": "none", "hint": "", "created": now, "expires": now, "last_address": ""}
    with pytest.raises(IntegrityError), control.write() as connection:
        connection.execute(insert(CREDENTIAL_SECRET).values(digest="d", **orphan))


def test_a_database_says_that_it_is_there(control: Control) -> None:
    control.check()


def test_nobody_else_on_the_machine_reads_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with closing(Control(folder)) as control, control.write() as connection:
        connection.execute(insert(GENERATION).values(name="x", value=1))
        names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(names) >= {FILE_NAME, f"{FILE_NAME}-wal"}
    assert set(names.values()) == {0o600}


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"letters to nobody" * 100)
    with pytest.raises(StoreUnusable, match="not a database"):
        Control(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes().startswith(b"letters")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(StoreUnusable, match="taken"):
        Control(tmp_path / "taken")


@pytest.mark.needs("postgresql")
def test_a_server_that_is_not_there_is_named_without_its_password(
    tmp_path: Path, postgresql: Postgresql
) -> None:
    address = postgresql.create_database().replace("@/", ":hunter2@/").replace("test_", "other_")
    with pytest.raises(StoreUnusable, match="other_") as refused:
        Control(tmp_path, address)
    assert "hunter2" not in refused.value.message


def run_all(works: Sequence[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
