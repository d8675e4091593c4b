"""`codometer simulate`."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

import click

from codometer.cli.client import Unreachable
from codometer.configuration import find_ca_file
from codometer.errors import BadRequest
from codometer.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from codometer.operate.simulator import Network, Scenario
    from codometer.operate.simulator.exporter import Endpoint, Exporter, Protocol
    from codometer.operate.simulator.send import Sending

_MIXED: Final = "mixed"
_FASTEST: Final = "max"
_LIVE: Final = "live"
_DEFAULT_DAYS: Final = 30


class _Given(TypedDict):
    endpoint: str
    grpc_endpoint: str
    headers: tuple[str, ...]
    protocol: str
    people: int
    since: datetime | None
    until: datetime | None
    sessions: float
    minutes: float
    seed: int
    speed: float | str
    lose: float
    repeat: float
    late: float
    truth: Path | None


def _read_speed(_context: click.Context, _option: click.Parameter, value: str) -> float | str:
    if value in {_FASTEST, _LIVE}:
        return value
    try:
        speed = float(value.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise click.BadParameter(f"{value!r} is not max, live or a number such as 60")
    return speed


_share = click.FloatRange(0, 1)


@click.command(short_help="Send a simulated fleet to a server, as OTLP.")
@click.option(
    "--endpoint",
    metavar="URL",
    default="http://127.0.0.1:4318",
    show_default=True,
    help="OTLP over HTTP, up to /v1/…",
)
@click.option(
    "--grpc-endpoint",
    metavar="HOST:PORT",
    default="127.0.0.1:4317",
    show_default=True,
    help="OTLP over gRPC; with https:// before it over TLS.",
)
@click.option(
    "--header", "headers", multiple=True, metavar="NAME=VALUE", help="Sent along; repeatable."
)
@click.option(
    "--protocol",
    type=click.Choice([_MIXED, "grpc", "http/protobuf", "http/json"]),
    default=_MIXED,
    show_default=True,
    help="What clients speak; mixed gives each installation one of the three.",
)
@click.option(
    "--people", type=click.IntRange(1, 100_000), default=60, show_default=True, help="Who work."
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The first day.  [default: 30 days before --until]",
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day after the last one.  [default: tomorrow; what lies ahead is left out]",
)
@click.option(
    "--sessions",
    type=click.FloatRange(0.1, 100),
    default=2,
    show_default=True,
    help="Of an average person on a day.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(1, 600),
    default=12,
    show_default=True,
    help="The median length of a session.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another number, another fleet."
)
@click.option(
    "--speed",
    callback=_read_speed,
    default=_FASTEST,
    show_default=True,
    metavar="max|live|N",
    help="As fast as it is taken, as it happens from now on, or N times as fast as it happened.",
)
@click.option(
    "--lose",
    type=_share,
    default=0,
    metavar="SHARE",
    help="Exports that are never sent, from 0 to 1.",
)
@click.option(
    "--repeat",
    type=_share,
    default=0.01,
    show_default=True,
    metavar="SHARE",
    help="Exports that are sent twice.",
)
@click.option(
    "--late",
    type=_share,
    default=0.02,
    show_default=True,
    metavar="SHARE",
    help="Exports that are sent an hour or so late.",
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    help="Write down what was sent: totals, and by every dimension, as JSON.",
)
def simulate(**given: Unpack[_Given]) -> None:
    """Send a believable fleet of coding agents to a server, as OTLP over the network.

    \b
      codometer simulate                               60 people, the last 30 days
      codometer simulate --people 500 --days 7
      codometer simulate --speed live                  from now on, until Ctrl-C
      codometer simulate --since 2026-11-24 --speed 600    a day in two and a half minutes
      codometer simulate --lose 0.05 --truth truth.json

    The same seed sends the same, wherever it runs. The bodies have the size and
    shape of those of real clients, in several versions; clients try again and give
    up as real ones do. With --truth the fleet's own ledger is written down, so that
    `codometer query` can be held against it; docs/guides/simulate.md shows how.

    Do not send it to a server that keeps numbers you need: they cannot be told apart.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from codometer.operate.simulator import Network
    from codometer.operate.simulator.exporter import Endpoint, Protocol

    named = given["protocol"]
    asyncio.run(
        _simulate(
            _scenario(given),
            Network(
                seed=given["seed"],
                lost_events=given["lose"],
                lost_metrics=given["lose"],
                repeated=given["repeat"],
                late=given["late"],
                shuffled=False,
            ),
            Endpoint(
                http=given["endpoint"],
                grpc=given["grpc_endpoint"],
                headers=_headers(given["headers"]),
                ca_file=find_ca_file(),
            ),
            list(Protocol) if named == _MIXED else [Protocol(named)],
            speed=given["speed"],
            truth=given["truth"],
        )
    )


def _scenario(given: _Given) -> Scenario:
    from codometer.operate.simulator import Scenario

    today = datetime.now(UTC).date()
    until = given["until"].date() if given["until"] else today + timedelta(days=1)
    since = given["since"].date() if given["since"] else until - timedelta(days=_DEFAULT_DAYS)
    if since >= until:
        raise BadRequest(f"--since {since} is not before --until {until}")
    if since > today:
        raise BadRequest(f"--since {since} lies ahead", hint="--speed live sends what happens now")
    return Scenario(
        seed=given["seed"],
        last_day=until - timedelta(days=1),
        days=(until - since).days,
        people=given["people"],
        sessions_per_person=given["sessions"],
        session_minutes=given["minutes"],
        keeps_calendar=True,
    )


def _headers(headers: tuple[str, ...]) -> dict[str, str]:
    pairs = [header.partition("=") for header in headers]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise click.BadParameter(f"{name!r} is not NAME=VALUE", param_hint="--header")
    return {name: value for name, _, value in pairs}


async def _simulate(
    scenario: Scenario,
    network: Network,
    endpoint: Endpoint,
    protocols: list[Protocol],
    *,
    speed: float | str,
    truth: Path | None,
) -> None:
    from codometer.operate.simulator.exporter import Exporter, ServerGone
    from codometer.operate.simulator.send import NobodyTakesIt, Sending
    from codometer.pricing import load_catalogue

    async with Exporter(endpoint, protocols) as exporter:
        try:
            await exporter.check()
            sending = Sending(scenario, network, load_catalogue(), exporter.send)
            try:
                await _until_interrupted(_send(sending, exporter, scenario.days, speed))
            finally:
                _finish(sending, exporter, scenario, truth)
        except ServerGone as error:
            raise Unreachable(error.message, hint=error.hint) from error
        except NobodyTakesIt as error:
            raise Unreachable(
                "the server takes nothing any more", hint="what it took until then is above"
            ) from error


async def _send(sending: Sending, exporter: Exporter, days: int, speed: float | str) -> None:
    if speed == _LIVE:
        with _bar("since the start", None, exporter) as show:
            now = datetime.now(UTC)
            await sending.send_live(now, progress=lambda _: show(0.0))
    else:
        pace = speed if isinstance(speed, float) else None
        with _bar("days", days, exporter) as show:
            await sending.send_days(speed=pace, progress=show)


async def _until_interrupted(work: Coroutine[Any, Any, None]) -> None:
    """Work until that is done or somebody presses Ctrl-C, which is a good end too."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        click.echo("Interrupted.", err=True)


@contextmanager
def _bar(what: str, total: int | None, exporter: Exporter) -> Iterator[Callable[[float], object]]:
    """Show on a terminal how far it is and how much was accepted."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    counts = exporter.counts
    columns = (
        TextColumn("{task.completed:.0f} of {task.total} days") if total else TextColumn(what),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[accepted]:,} accepted, {task.fields[lost]:,} lost"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, accepted=0, lost=0)

        def show(done: float) -> None:
            bar.update(task, completed=done, accepted=counts.accepted, lost=counts.lost)

        yield show


def _finish(sending: Sending, exporter: Exporter, scenario: Scenario, truth: Path | None) -> None:
    """Print what became of everything, and write down the truth."""
    from codometer.serve.exact_json import encode

    counts = exporter.counts
    told = sending.tally.document()
    totals = told["totals"]
    click.echo(
        f"{counted(counts.sent, 'export')} sent: {counts.accepted:,} accepted, {counts.lost:,} lost"
        f" ({counts.retried:,} tried again)"
    )
    for answer, times in counts.answers.most_common():
        click.echo(f"  {times:,} × {answer}")
    if counts.refused_signals:
        click.echo(f"{counts.refused_signals:,} records and points of accepted exports refused")
    click.echo(
        f"They tell of {totals.get('requests', 0):,} requests, {totals.get('tokens', 0):,} tokens,"
        f" {totals.get('sessions', 0):,} sessions of {totals.get('active_people', 0):,} people"
        f" and {totals.get('active_services', 0):,} services, and"
        f" ${totals.get('cost', 0):,.2f} at list prices."
    )
    if sending.tally.uncertain_requests:
        click.echo(
            f"Of {sending.tally.uncertain_requests:,} of them nobody can tell for certain whether"
            " both signals told them, since one was lost."
        )
    if truth is None:
        return
    document = {
        "scenario": scenario,
        "exports": {
            "sent": counts.sent,
            "accepted": counts.accepted,
            "lost": counts.lost,
            "retried": counts.retried,
            "refused_signals": counts.refused_signals,
        },
        "uncertain_requests": sending.tally.uncertain_requests,
        **told,
    }
    truth.write_text(encode(document, indent=2) + "\n", encoding="utf-8")
    click.echo(f"The truth is in {truth}.")
