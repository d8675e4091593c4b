"""`codometer audit`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from codometer.cli.client import ask_server
from codometer.cli.edge import ExitStatus
from codometer.cli.options import asks_server
from codometer.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATH: Final = "/api/v1/audit"
_MOST_AT_ONCE: Final = 1000
_FIELDS: Final = (
    "seq",
    "time",
    "actor_kind",
    "actor",
    "address",
    "request",
    "action",
    "object",
    "outcome",
    "reason",
    "before",
    "after",
    "hash",
)
_SHOWN: Final = ("seq", "time", "actor", "action", "object", "outcome", "reason", "after")


@click.group(short_help="What was done, and by whom.")
def audit() -> None:
    """Read the audit log, and check that it is whole."""


@audit.command("list", short_help="Entries, the newest first.")
@click.option("--action", help="Only this action, such as credential.create.")
@click.option("--actor", help="Only what this id did.")
@click.option("--object", "object_", help="Only what was done to this.")
@click.option("--since", metavar="WHEN", help="From when on: 30d, a date or an instant.")
@click.option("--until", metavar="WHEN", help="Up to when, not included.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many."
)
@asks_server
def list_(
    *,
    action: str | None,
    actor: str | None,
    object_: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    url: str | None,
    form: str,
) -> None:
    """List what was done. --format json and csv are for export, with every field."""
    from codometer.cli.output import print_csv, print_json

    given = {"action": action, "actor": actor, "object": object_, "since": since, "until": until}
    filters = [(name, value) for name, value in given.items() if value]
    entries = _fetch(url, filters, limit)
    if form == "json":
        print_json({"entries": entries})
    elif form == "csv":
        rows = [[_text(entry[name]) for name in _FIELDS] for entry in entries]
        print_csv(list(_FIELDS), rows)
    else:
        _print_entries(entries)


@audit.command(short_help="Is the log whole? Ends with 1 if not.")
@asks_server
def verify(*, url: str | None, form: str) -> None:
    """Compute every hash again and compare it, with the seal and the anchors too.

    Ends with 0 when the log is whole and with 1 when anything was changed, taken
    out, put in, moved or cut off.
    """
    from codometer.cli.output import clean, print_csv, print_json

    found = ask_server(url, f"{_PATH}/verification")
    if form == "json":
        print_json(found)
    elif form == "csv":
        faults = [[fault["kind"], fault["seq"], fault["text"]] for fault in found["faults"]]
        print_csv(["kind", "seq", "text"], faults)
    else:
        for fault in found["faults"]:
            click.echo(f"entry {fault['seq']}: {clean(fault['text'])} ({fault['kind']})")
        click.echo(_summary(found))
    if found["faults"]:
        raise SystemExit(ExitStatus.NO)


def _fetch(url: str | None, filters: Sequence[tuple[str, str]], limit: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    before: list[tuple[str, str]] = []
    while len(entries) < limit:
        at_once = min(limit - len(entries), _MOST_AT_ONCE)
        answer = ask_server(url, _PATH, [*filters, *before, ("limit", str(at_once))])
        entries += answer["entries"]
        if answer["next"] is None:
            break
        before = [("before", str(answer["next"]))]
    return entries


def _print_entries(entries: Sequence[dict[str, Any]]) -> None:
    from codometer.cli.output import print_rows

    if not entries:
        click.echo("Nothing of that kind was done.")
        return
    shown = [
        {**entry, "actor": entry["actor"] or entry["actor_kind"], "time": entry["time"][:19]}
        for entry in entries
    ]
    rows = [[_text(entry[name]) for name in _SHOWN] for entry in shown]
    print_rows([name.capitalize() for name in _SHOWN], rows)


def _summary(found: dict[str, Any]) -> str:
    state = "The log is whole" if found["whole"] else "The log is not whole"
    sealed = f", those up to {found['sealed']} were let go" if found["sealed"] else ""
    late = f", {found['unanchored']} of them after the last anchor" if found["unanchored"] else ""
    return f"{state}: {counted(found['entries'], 'entry', 'entries')}{late}{sealed}."


def _text(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""
    return str(value)
