import logging

from codometer.log import OneEntryEach


def write(message: str, error: Exception | None = None) -> str:
    told = (type(error), error, None) if error else None
    record = logging.LogRecord("x", logging.ERROR, "x", 1, message, None, told)
    return OneEntryEach("%(levelname)s %(message)s").format(record)


def test_what_others_wrote_begins_no_entry_of_the_log() -> None:
    assert write("one\nERROR two") == "ERROR one\n  ERROR two"
    entry = write("it failed", ValueError("bad\nINFO forged"))
    assert [line for line in entry.splitlines() if line.startswith("INFO")] == []
    assert "INFO forged" in entry


def test_what_others_wrote_commands_no_terminal() -> None:
    assert write("\x1b[2J\r\0\u202eevil") == "ERROR \\x1b[2J\\r\\x00\\u202eevil"
