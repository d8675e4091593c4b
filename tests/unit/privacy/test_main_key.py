import base64
import shlex
import stat
import sys
from pathlib import Path

import pytest

from codometer.privacy.main_key import MainKeySource, MainKeyUnusable, main_key_source
from codometer.settings import Keys

SECRET = bytes(range(32))
BASE64 = base64.b64encode(SECRET).decode()


def printing(text: str) -> str:
    return shlex.join([sys.executable, "-c", f"print({text!r})"])


def source(folder: Path, **given: str) -> MainKeySource:
    variables = {name: given.pop(name) for name in ("variable", "previous") if name in given}
    return main_key_source(Keys(**given), folder, **variables)


def test_a_variable_beats_a_command_beats_a_file(tmp_path: Path) -> None:
    every = source(tmp_path, variable=BASE64, command="false", file="none")
    assert (every.name, every.find() is not None) == ("the variable CODOMETER_KEY", True)
    command = source(tmp_path, command=printing(SECRET.hex()), file="none")
    assert command.name == "the command in keys.command"
    assert command.find() == every.find()
    assert not every.is_ours
    assert not command.is_ours


def test_a_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    ours = source(tmp_path)
    assert ours.find() is None
    made = ours.make()
    assert ours.find() == made
    assert stat.S_IMODE((tmp_path / "main.key").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        ours.make()


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    source(tmp_path).make()
    (tmp_path / "main.key").chmod(0o640)
    with pytest.raises(MainKeyUnusable, match="others than its owner") as caught:
        source(tmp_path).find()
    assert caught.value.hint.startswith("chmod 600")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.key").mkdir()
    with pytest.raises(MainKeyUnusable, match="is a directory"):
        source(tmp_path).find()


@pytest.mark.parametrize("text", ["", "ada", BASE64[:-4], "z" * 64, "é" * 64, SECRET.hex() + "00"])
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(MainKeyUnusable, match="is no key") as caught:
        source(tmp_path, file=str(path)).find()
    assert not text or text not in caught.value.message


@pytest.mark.parametrize("command", ["false", "/nowhere/key", "'"])
def test_a_command_that_fails_is_refused(tmp_path: Path, command: str) -> None:
    with pytest.raises(MainKeyUnusable, match="did not print"):
        source(tmp_path, command=command).find()


def test_a_replacement_waits_beside_the_file_until_it_is_settled(tmp_path: Path) -> None:
    ours = source(tmp_path)
    first = ours.make()
    ours.prepare()
    second = ours.prepare()  # the one before was cut short
    assert (ours.find(), ours.find_others()) == (first, [second])
    ours.settle(first)
    assert ours.find() == first
    ours.settle(second)
    assert (ours.find(), ours.find_others()) == (second, [])


def test_an_operator_gives_the_key_before(tmp_path: Path) -> None:
    given = source(tmp_path, variable=BASE64, previous=SECRET[::-1].hex())
    assert [key.secret for key in given.find_others()] == [SECRET[::-1]]
    given.settle(given.find_others()[0])
    assert list(tmp_path.iterdir()) == []
