"""What stands in for every page until something was counted.

It says what is missing and how to send it, checks the server while the reader
waits, and tells the difference between nothing, refused signals, and signals
in which there is nothing to count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from codometer.analysis.dates import format_passed
from codometer.analysis.numbers import format_bytes
from codometer.model.status import Status
from codometer.model.words import counted
from codometer.operate.checks import find_deaf_ports, free_bytes, is_writable
from codometer.operate.connect import command, otlp_url, variables_to_connect
from codometer.serve.api.status import StatusSource
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.view import View
from codometer.settings import Settings

_SCARCE_BYTES: Final = 2**30
_LISTED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the list: `state` is ok, warn or bad; `note` says what to do."""

    what: str
    state: str
    value: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why signals were refused, in words, and what to do about it."""

    text: str
    remedy: str


# By the reasons of the intake. A reason that is missing here is shown by its code.
REFUSALS: Final[Mapping[str, Refusal]] = {
    "no_time": Refusal(
        text="they carry no time",
        remedy="Send them with the client's own exporter, not through a proxy that drops fields.",
    ),
    "time_out_of_range": Refusal(
        text="their time is before 2024 or more than a day ahead",
        remedy="Set the clock of the machine that sends them.",
    ),
    "erased": Refusal(
        text="they are of a person whose data was erased",
        remedy="Nothing is to be done: data of theirs that comes late stays out.",
    ),
    "not_a_count": Refusal(
        text="their value is no count: negative, infinite, or not a number",
        remedy="Update the client, or leave out the exporter that changes the values.",
    ),
    "fault": Refusal(
        text="the server could not read them",
        remedy="The server's log has the reason; please report it.",
    ),
}


def first_run_page(status: StatusSource, settings: Settings, *, since: datetime) -> Page[View]:
    """Return the page of a server that has waited `since` then."""

    def build_checks(view: View) -> Mapping[str, object]:
        signals = _check_signals(status.read_status(), view.now, since)
        return {"checks": [_check_ports(settings), _check_storage(settings), *signals]}

    variables = variables_to_connect(otlp_url(settings.listen))
    connect: Panel[View] = Panel(
        name="connect",
        title="No agent has reported yet",
        template="connect.html",
        build=lambda _: {"variables": variables, "command": command()},
    )
    checks = Panel(name="checks", title="Live checks", template="checks.html", build=build_checks)
    return Page(
        path="/",
        name="overview",
        title="Overview",
        template="first_run.html",
        panels=(connect, checks),
    )


def explain_refusal(reason: str) -> str:
    """Say why signals were refused, and what to do about it."""
    known = REFUSALS.get(reason)
    return f"Because {known.text}. {known.remedy}" if known else f"The reason is {reason}."


def _check_ports(settings: Settings) -> Check:
    listen = settings.listen
    if deaf := find_deaf_ports(listen):
        return Check(
            what="Server is not listening",
            state="bad",
            value=_ports(deaf),
            note="Its log says why. Start it again.",
        )
    return Check(
        what="Server is listening", state="ok", value=_ports([listen.otlp_port, listen.grpc_port])
    )


def _ports(ports: Sequence[int]) -> str:
    return ", ".join(f":{port}" for port in ports)


def _check_storage(settings: Settings) -> Check:
    try:
        free = free_bytes(settings.data)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        return Check(what="Storage cannot be read", state="bad", note=f"{settings.data}: {reason}.")
    value = f"{format_bytes(free)} free"
    if not is_writable(settings.data):
        return Check(
            what="Storage is not writable",
            state="bad",
            value=value,
            note=f"Let the user that runs the server write to {settings.data}.",
        )
    if free < _SCARCE_BYTES:
        return Check(
            what="Storage is almost full",
            state="warn",
            value=value,
            note="Make room, or choose another folder with --data.",
        )
    return Check(what="Storage is writable", state="ok", value=value)


def _check_signals(status: Status, now: datetime, since: datetime) -> list[Check]:
    refused = [
        Check(
            what=f"{counted(reject.count, 'signal')} refused",
            state="bad",
            value=format_passed(now - reject.last) if reject.last else "",
            note=explain_refusal(reject.reason),
        )
        for reject in status.rejects
    ]
    arrived = {signal.signal: signal.events for signal in status.signals if signal.events}
    if not arrived:
        waited = format_passed(now - since).removesuffix(" ago")
        return [*refused, Check(what="First signal", state="warn", value=f"waiting, {waited}")]
    value = ", ".join(f"{count:,} of {name}" for name, count in arrived.items())
    return [
        *refused,
        Check(
            what="Nothing in it to count",
            state="warn",
            value=value,
            note=_explain_uncounted(status, set(arrived)),
        ),
    ]


def _explain_uncounted(status: Status, arrived: set[str]) -> str:
    if arrived == {"traces"}:
        return (
            "Traces alone do not say what was used. Set OTEL_LOGS_EXPORTER=otlp and"
            " OTEL_METRICS_EXPORTER=otlp as above."
        )
    names = [unknown.name for unknown in status.unknown_names if unknown.what != "attribute"]
    if names:
        shown = ", ".join(names[:_LISTED])
        return f"They come from a program that is not known here: {shown}."
    return "A session that asks a model something will be counted."
