from collections.abc import Iterator
from pathlib import Path

import pytest

from codometer.access.access import Access
from codometer.privacy.encryption import Purpose
from codometer.settings import Settings
from tests.unit.serve.parts import NOW, Office, build_office_app
from tests.unit.serve.test_api_access import Programs

KEYS = "/api/v1/keys"


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    settings = Settings(data=tmp_path)
    access = Access(settings, now=lambda: NOW)
    yield Programs(access, build_office_app(Office(), settings, access), [NOW])
    access.close()


def test_keys_are_listed_and_never_shown(programs: Programs, tmp_path: Path) -> None:
    answer = programs.ask("GET", KEYS)
    document = answer.json()
    assert document["main_key"] == str(tmp_path / "main.key")
    assert {each["purpose"] for each in document["keys"]} == set(Purpose)
    assert (tmp_path / "main.key").read_text().strip() not in answer.text


@pytest.mark.parametrize(("which", "more"), [("main", 0), ("vault", 0), ("pseudonym", 1)])
def test_a_key_is_replaced_on_the_record(programs: Programs, which: str, more: int) -> None:
    answer = programs.ask("POST", f"{KEYS}/rotate", body={"key": which})
    assert answer.status_code == 200
    assert len(answer.json()["keys"]) == len(Purpose) + more
    assert programs.entries()[0]["object"] == which


def test_only_a_pseudonym_key_that_was_replaced_is_deleted(programs: Programs) -> None:
    programs.ask("POST", f"{KEYS}/rotate", body={"key": "pseudonym"})
    done = programs.ask("POST", f"{KEYS}/delete", body={"number": 1})
    assert done.status_code == 200
    assert len(done.json()["keys"]) == len(Purpose)
    for body in ({"number": 2}, {"number": "1"}, {"number": 2, "confirm": "yes"}):
        assert programs.ask("POST", f"{KEYS}/delete", body=body).status_code == 400


def test_a_key_that_is_none_is_refused(programs: Programs) -> None:
    answer = programs.ask("POST", f"{KEYS}/rotate", body={"key": "tombstone"})
    assert answer.status_code == 400
    assert answer.json()["error"]["hint"] == "main or vault or pseudonym or content"
