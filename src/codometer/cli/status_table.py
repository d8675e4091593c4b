"""The server's status for people: what arrived, what needs a look, what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from codometer.analysis.numbers import UNKNOWN, format_bytes, format_value
from codometer.cli.output import Column, clean, make_console, make_tables, print_block
from codometer.cli.times import format_ago, format_instant, parse_instant

if TYPE_CHECKING:
    from rich.console import Console

Entry = dict[str, Any]

_MAX_LISTED: Final = 10


def print_status(status: dict[str, Any]) -> None:
    """Print the status."""
    from rich.text import Text

    console = make_console()
    server = status["server"]
    now = parse_instant(server["time"])
    print_block(console, Text(f"Codometer, version {clean(server['version'])}", style="bold"))
    print_block(
        console,
        f"OTLP/HTTP {clean(server['otlp_http'])}, OTLP/gRPC {clean(server['otlp_grpc'])}",
    )
    print_block(console, f"Privacy profile {clean(server['privacy'])}: codometer privacy show")
    if not any(signal["events"] for signal in status["signals"]):
        _print_nothing_yet(console, server)
    else:
        _print_arrived(console, status, now)
    _print_attention(console, status, now)
    _print_stored(console, status)


def _print_nothing_yet(console: Console, server: Entry) -> None:
    from codometer.operate.connect import lines_to_connect

    print_block(console)
    print_block(console, "Nothing has arrived yet.")
    print_block(console)
    print_block(
        console, lines_to_connect(clean(server["otlp_http"]), clean(server["url"])).rstrip()
    )


def _print_arrived(console: Console, status: dict[str, Any], now: datetime) -> None:
    clients = _number_of(status["clients"], "client")
    sessions = _number_of(status["sessions"], "session")
    _print_section(
        console,
        f"Arrived from {clients} in {sessions}",
        _text("Signal", [entry["signal"] for entry in status["signals"]]),
        _right("Events", [_count(entry["events"]) for entry in status["signals"]]),
        _text("First (UTC)", [format_instant(entry["first"]) for entry in status["signals"]]),
        _text("Last", [format_ago(entry["last"], now) for entry in status["signals"]]),
    )
    _print_section(
        console,
        "Who that was; an installation stands for a person where a client names none",
        _text("Known by", [entry["kind"] for entry in status["people"]]),
        _right("Count", [_count(entry["count"]) for entry in status["people"]]),
    )
    versions = status["versions"][:_MAX_LISTED]
    _print_section(
        console,
        "Client versions",
        _text("Agent", [entry["agent"] for entry in versions]),
        _text("Version", [entry["version"] or "unknown" for entry in versions]),
        _right("Sessions", [_count(entry["sessions"]) for entry in versions]),
        _text("Last", [format_ago(entry["last"], now) for entry in versions]),
        more=len(status["versions"]) - len(versions),
    )


def _print_attention(console: Console, status: dict[str, Any], now: datetime) -> None:
    """Print what needs a look; sections without entries stay away."""
    ending = status["ending_credentials"][:_MAX_LISTED]
    _print_section(
        console,
        "Credentials that end soon: codometer credential rotate ID",
        _text("ID", [entry["id"] for entry in ending]),
        _text("Kind", [entry["kind"] for entry in ending]),
        _text("Ends (UTC)", [format_instant(entry["expires"]) for entry in ending]),
        more=len(status["ending_credentials"]) - len(ending),
    )
    rejects = status["rejects"][:_MAX_LISTED]
    _print_section(
        console,
        "Refused signals",
        _text("Reason", [entry["reason"] for entry in rejects]),
        _right("Signals", [_count(entry["count"]) for entry in rejects]),
        _text("Last", [format_ago(entry["last"], now) for entry in rejects]),
        more=len(status["rejects"]) - len(rejects),
    )
    _print_sent_content(console, status, now)
    names = status["unknown_names"][:_MAX_LISTED]
    _print_section(
        console,
        "Names that this version does not know; what they carry is kept",
        _text("Name", [entry["name"] for entry in names]),
        _text("What", [entry["what"] for entry in names]),
        _text("Agent", [entry["agent"] for entry in names]),
        _right("Seen", [_count(entry["count"]) for entry in names]),
        _text("Last", [format_ago(entry["last"], now) for entry in names]),
        more=len(status["unknown_names"]) - len(names),
    )
    models = status["unpriced_models"][:_MAX_LISTED]
    _print_section(
        console,
        "Models without a list price; their cost is what the client reports",
        _text("Model", [entry["model"] for entry in models]),
        _right("Requests", [_count(entry["requests"]) for entry in models]),
        more=len(status["unpriced_models"]) - len(models),
    )


def _print_sent_content(console: Console, status: dict[str, Any], now: datetime) -> None:
    from codometer.operate.connect import WITHOUT_CONTENT

    sent = status["sent_content"][:_MAX_LISTED]
    _print_section(
        console,
        "Clients that send what people or models write; it is dropped where nobody agreed to it",
        _text("What", [entry["part"] for entry in sent]),
        _text("Agent", [entry["agent"] for entry in sent]),
        _text("Version", [entry["version"] or "unknown" for entry in sent]),
        _right("Signals", [_count(entry["count"]) for entry in sent]),
        _text("Last", [format_ago(entry["last"], now) for entry in sent]),
        more=len(status["sent_content"]) - len(sent),
    )
    if sent:
        print_block(console, "With these settings, all of them, Claude Code sends none:")
        for name, value in WITHOUT_CONTENT.items():
            print_block(console, f"  {name}={value}")


def _print_stored(console: Console, status: dict[str, Any]) -> None:
    storage, rollup = status["storage"], status["rollup"]
    oldest = storage["oldest_detail"]
    since = f" since {format_instant(oldest)} UTC" if oldest else ""
    up_to = f"up to {format_instant(rollup['as_of'])} UTC" if rollup["as_of"] else "not yet made"
    pending = f", {_count(rollup['pending'])} to be brought up to date" if rollup["pending"] else ""
    lines = {
        "Data": f"{clean(storage['path'])}, {format_bytes(storage['bytes'])}",
        "Detail": f"{_count(storage['detail_rows'])} rows{since}",
        "Rollups": f"{_count(storage['rollup_rows'])} rows, {up_to}{pending}",
    }
    run = status["retention"]
    if run:
        lines["Let go"] = (
            f"{_count(run['detail'])} rows of detail, {_count(run['sums'])} of sums;"
            f" {_number_of(run['sessions'], 'session')} without a name now,"
            f" {_count(run['persons'])} rows without a person, on {format_instant(run['time'])} UTC"
        )
    _print_section(console, "Stored", _text("", list(lines)), _text("", list(lines.values())))


def _print_section(console: Console, title: str, *columns: Column, more: int = 0) -> None:
    """Print a section with a blank line above, unless it has no entries.

    Columns of which nothing is told are left out.
    """
    if not columns[0].cells:
        return
    columns = tuple(column for column in columns if {*column.cells} != {UNKNOWN})
    from rich.text import Text

    print_block(console)
    print_block(console, Text(title, style="bold"))
    for table in make_tables(console, columns, []):
        table.show_header = any(column.head for column in columns)
        table.header_style = "dim"
        print_block(console, table)
    if more:
        print_block(console, Text(f"and {_count(more)} more", style="dim"))


def _text(head: str, cells: Sequence[str]) -> Column:
    return Column(head=head, cells=[clean(cell) for cell in cells])


def _right(head: str, cells: Sequence[str]) -> Column:
    return Column(head=head, cells=cells, right=True)


def _number_of(count: int, noun: str) -> str:
    return f"{_count(count)} {noun}{'' if count == 1 else 's'}"


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else format_value(value, "count")
