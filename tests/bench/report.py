"""Figures as tables: for the terminal and, the same, for docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.machine import BUSY_LOAD, ROOT

RESULTS: Final = ROOT / "docs" / "benchmarks" / "latest.json"
DOCUMENT: Final = ROOT / "docs" / "benchmarks.md"
FORMAT: Final = 1

Report = dict[str, Any]
"""All that is kept of a run, as JSON has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One figure of each row."""

    key: str
    title: str
    digits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table and what it means. Rows that have no title here keep their own."""

    key: str
    title: str
    text: str
    first: str
    columns: tuple[Column, ...]
    rows: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What we want of one figure: at least, or less than, so much."""

    text: str
    section: str
    row: str
    column: str
    unit: str
    at_least: float | None = None
    below: float | None = None
    digits: int = 0

    def is_met(self, value: float) -> bool:
        """Say whether a figure is as we want it."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.below is None or value < self.below

    @property
    def wanted(self) -> str:
        """The aim as text."""
        sign, limit = ("≥", self.at_least) if self.at_least is not None else ("<", self.below)
        return f"{sign} {_number(limit, self.digits)} {self.unit}".strip()


_SHARE: Final = (
    Column(key="share", title="server’s share of the cores", digits=2),
    Column(key="others", title="others’ share", digits=2),
)
_TO_PLAIN: Final = Column(key="to_plain", title="to the plain walk", digits=2)
_MS: Final = (
    Column(key="p50_ms", title="median ms", digits=1),
    Column(key="max_ms", title="longest ms", digits=1),
)
_DECODERS: Final = {
    "ours": "ours",
    "plain": "plain walk over upb’s messages",
    "parse": "upb’s parse, nothing read",
}

SECTIONS: Final = (
    Section(
        key="server",
        title="Events made durable",
        text="""
A server in a process of its own takes exports of log records as fast as it can, with 3,200
records in flight, from clients in another process.
Events a core are events by the server's processor time up to the last acknowledgement;
*rolled up* counts all its events and all its time until the API told every token,
warm-up included.
It ends with a check: every session's rows and tokens in the database are those acknowledged.
""",
        first="Way",
        columns=(
            Column(key="events_a_core", title="events/s a core"),
            Column(key="rolled_up_a_core", title="rolled up, events/s a core"),
            Column(key="events_a_second", title="events/s"),
            Column(key="behind_seconds", title="rollups behind, s", digits=1),
            *_SHARE,
        ),
        rows={},
    ),
    Section(
        key="chain",
        title="The chain without a network",
        text="""
Decode, protect, normalise, price, commit: the same in one process, 50 records a request, with
our decoder and with a plain one (OpenTelemetry's protobuf classes, attributes read one by one
into dicts) in its place.
The best of several runs, in turn.
""",
        first="Chain",
        columns=(Column(key="events_a_core", title="events/s a core"), _TO_PLAIN),
        rows={
            "ours": "our decoder",
            "plain": "plain decoder",
            "with_rollups": "our decoder, rollups kept current beside it",
        },
    ),
    Section(
        key="access",
        title="Credentials",
        text="""
Servers that ask every request, of 12 records each, for a credential, which fills in team, cost
centre and person, beside servers that ask for none.
The best of several runs, in turn.
""",
        first="Way",
        columns=(
            Column(key="events_a_core", title="events/s a core"),
            Column(key="to_without", title="to without", digits=2),
        ),
        rows={},
    ),
    Section(
        key="privacy",
        title="Privacy profiles",
        text="""
Servers under each privacy profile, over HTTP with 50 records a request. Under `open` clients are
stored as they call themselves; under the others only pseudonyms are.
The best of several runs, in turn.
""",
        first="Profile",
        columns=(
            Column(key="events_a_core", title="events/s a core"),
            Column(key="to_open", title="to open", digits=2),
        ),
        rows={},
    ),
    Section(
        key="redaction",
        title="Redaction of content",
        text="""
Texts that are to be kept, freed from secrets and from what names people, by processor time:
what the recordings have of content, our own source, and texts of 64 KiB that are made to be slow.
""",
        first="Texts",
        columns=(Column(key="megabytes_a_second", title="MB/s a core", digits=2),),
        rows={
            "recorded": "prompts, answers and tools’ details as recorded",
            "code": "source code",
            "hostile": "made to be slow",
        },
    ),
    Section(
        key="decoder",
        title="The decoder alone",
        text="""
From bytes to signals. All decoders read the same bodies in turn, each body once.
""",
        first="Decoder",
        columns=(Column(key="records_a_core", title="records/s a core"), _TO_PLAIN),
        rows={
            f"{key}_{records}": f"{title}, {records} a request"
            for records in (50, 12)
            for key, title in _DECODERS.items()
        },
    ),
    Section(
        key="latency",
        title="Time to the acknowledgement",
        text="""
Clients with a connection each send 12 records at an interval, at moments of their own;
acknowledged means durable.
*Late* is how late the clients themselves were: more than a few milliseconds, and the machine
was too busy to measure on.
""",
        first="Clients",
        columns=(
            Column(key="p50_ms", title="median ms", digits=1),
            Column(key="p99_ms", title="99 % ms", digits=1),
            Column(key="max_ms", title="longest ms", digits=1),
            Column(key="late_p99_ms", title="late, 99 % ms", digits=1),
            Column(key="asked_p50_ms", title="query, median ms", digits=1),
            Column(key="asked_max_ms", title="query, longest ms", digits=1),
            Column(key="events_a_second", title="events/s"),
            *_SHARE,
        ),
        rows={"alone": "alone", "asked": "with a query every second"},
    ),
    Section(
        key="memory",
        title="Memory",
        text="""
Resident memory of the server's process.
""",
        first="When",
        columns=(
            Column(key="now", title="MiB"),
            Column(key="peak", title="most so far, MiB"),
        ),
        rows={},
    ),
    Section(
        key="start",
        title="Start",
        text="""
From the start of the process to the first good answer of `/readyz`, the slowest of several.
After `kill -9` the engine also replays its log, and every acknowledged row is checked.
""",
        first="Data folder",
        columns=(
            Column(key="seconds", title="seconds", digits=2),
            Column(key="log_mib", title="log to replay, MiB", digits=1),
        ),
        rows={"empty": "empty", "full": "with the month", "killed": "with the month, after a kill"},
    ),
    Section(
        key="disk",
        title="Disk",
        text="""
A month: many sessions today, fewer on the days before, each of 300 events with the metrics a
client sends beside them.
The folder's size once the server has stopped, by event; the parts are the engine's blocks.
""",
        first="Part",
        columns=(
            Column(key="mib", title="MiB"),
            Column(key="bytes_an_event", title="bytes an event"),
            Column(key="events", title="events"),
            Column(key="readings", title="readings of metrics"),
        ),
        rows={
            "folder": "the folder",
            "detail": "detail",
            "rollups": "rollups",
            "free": "free for reuse",
        },
    ),
    Section(
        key="question",
        title="Queries",
        text="""
Over the API, 30 days of the month above, one after the other.
""",
        first="Query",
        columns=_MS,
        rows={},
    ),
    Section(
        key="history",
        title="Weeks of a fleet",
        text="""
Working days of forty, written straight into the tables: sessions of 315 events as the simulator
makes them, two a day and person, and then summed as after an import.
The large history is the small one over and over, with other people, teams and sessions each
time: its detail and its sums are copied.
""",
        first="History",
        columns=(
            Column(key="events", title="events"),
            Column(key="written_seconds", title="written, s"),
            Column(key="sums_seconds", title="summed, s"),
            Column(key="copied_seconds", title="copied, s"),
            Column(key="slowest_ms", title="slowest of Overview, median ms", digits=1),
        ),
        rows={"overview": "small", "overview_large": "large"},
    ),
    *(
        Section(
            key=key,
            title=title,
            text="""
What a panel asks for 28 days of which the last is under way, in one process with 512 MB; the same
of the detail, which must give the same answer, is the median of three, and of the large history
the one time that it is asked.
""",
            first="Question",
            columns=(
                Column(key="p50_ms", title="median ms", digits=1),
                Column(key="detail_ms", title="of the detail, ms", digits=0),
                Column(key="times", title="times faster", digits=0),
            ),
            rows={},
        )
        for key, title in (
            ("overview", "Overview over the small history"),
            ("overview_large", "Overview over the large history"),
        )
    ),
    Section(
        key="refresh",
        title="Rollups",
        text="""
How long the rollups take to hold 12 more events of each of so many sessions at work, on top of
the small history above.
""",
        first="At work",
        columns=_MS,
        rows={},
    ),
    Section(
        key="page",
        title="A first visit to Overview",
        text="""
A real Chromium on the same machine, 1440 by 900, nothing in its cache, over a simulated fleet.
The first chart counts as shown in the frame after it has a height; script is all of it on the
main thread; what moves is the browser's own score of shifts in layout.
""",
        first="Processor",
        columns=(
            Column(key="kib", title="received, KiB", digits=1),
            Column(key="server_p50_ms", title="server, median ms"),
            Column(key="chart_p50_ms", title="first chart, median ms"),
            Column(key="chart_max_ms", title="longest ms"),
            Column(key="script_ms", title="script, median ms"),
            Column(key="shift", title="moves", digits=3),
            Column(key="elements", title="elements"),
        ),
        rows={},
    ),
    Section(
        key="live",
        title="A page that is open",
        text="""
From the moment that an export is sent until the page shows it.
""",
        first="Open",
        columns=_MS,
        rows={},
    ),
    Section(
        key="page_load",
        title="Overview under load",
        text="""
A page a second, while as many events arrive as a busy site has; from the request to the last
byte.
""",
        first="Page",
        columns=(
            Column(key="p50_ms", title="median ms", digits=1),
            Column(key="p95_ms", title="95 % ms", digits=1),
            Column(key="max_ms", title="longest ms", digits=1),
            Column(key="events_a_second", title="events/s"),
            *_SHARE,
        ),
        rows={},
    ),
)

AIMS: Final = (
    Aim(
        text="every question of Overview, small history",
        section="history",
        row="overview",
        column="slowest_ms",
        unit="ms",
        below=20,
    ),
    Aim(
        text="every question of Overview, large history",
        section="history",
        row="overview_large",
        column="slowest_ms",
        unit="ms",
        below=100,
    ),
    Aim(
        text="rollups after 50 sessions went on",
        section="refresh",
        row="50 sessions",
        column="p50_ms",
        unit="ms",
        below=100,
    ),
    Aim(
        text="durable events a second and core, HTTP",
        section="server",
        row="HTTP, 50 a request",
        column="events_a_core",
        unit="",
        at_least=30_000,
    ),
    Aim(
        text="the chain with our decoder, to the plain one",
        section="chain",
        row="ours",
        column="to_plain",
        unit="times",
        at_least=2.5,
        digits=1,
    ),
    Aim(
        text="99 % of acknowledgements",
        section="latency",
        row="alone",
        column="p99_ms",
        unit="ms",
        below=150,
    ),
    Aim(
        text="the same, with queries beside them",
        section="latency",
        row="asked",
        column="p99_ms",
        unit="ms",
        below=150,
    ),
    Aim(
        text="a first visit to Overview, everything",
        section="page",
        row="as it is",
        column="kib",
        unit="KiB",
        below=120_000 / 1024,
    ),
    Aim(
        text="its first chart",
        section="page",
        row="as it is",
        column="chart_p50_ms",
        unit="ms",
        below=500,
    ),
    Aim(
        text="the same at a quarter of the speed",
        section="page",
        row="at a quarter of the speed",
        column="chart_p50_ms",
        unit="ms",
        below=1_000,
    ),
    Aim(
        text="its script at a quarter of the speed",
        section="page",
        row="at a quarter of the speed",
        column="script_ms",
        unit="ms",
        below=200,
    ),
    Aim(
        text="95 % of Overviews while 5,000 events/s arrive",
        section="page_load",
        row="Overview",
        column="p95_ms",
        unit="ms",
        below=150,
    ),
    Aim(
        text="a page follows what happens",
        section="live",
        row="one page",
        column="p50_ms",
        unit="ms",
        below=2_000,
    ),
    Aim(
        text="memory of an idle server",
        section="memory",
        row="idle, after start",
        column="now",
        unit="MiB",
        below=150,
    ),
    Aim(
        text="start on an empty folder",
        section="start",
        row="empty",
        column="seconds",
        unit="s",
        below=2,
        digits=1,
    ),
    Aim(
        text="start with data",
        section="start",
        row="full",
        column="seconds",
        unit="s",
        below=2,
        digits=1,
    ),
    Aim(
        text="start with data after a kill",
        section="start",
        row="killed",
        column="seconds",
        unit="s",
        below=2,
        digits=1,
    ),
)


def find_warnings(load: float, others: float, cores: int) -> list[str]:
    """Say what keeps absolute figures from being true."""
    found = []
    if load > BUSY_LOAD * cores:
        found.append(f"the machine was busy at the start: load {load:.1f} on {cores} cores")
    if others > BUSY_LOAD:
        found.append(f"others took up to {others:.0%} of the cores while a server was measured")
    return found


def render(report: Report) -> str:
    """Return the whole report in Markdown, readable as it is."""
    parts = [_render_head(report), _render_aims(report)]
    parts += [_render_section(section, report) for section in SECTIONS]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_document(report: Report) -> str:
    """Return docs/benchmarks.md."""
    return f"""<!-- Generated by `make bench` from benchmarks/latest.json; do not edit. -->
# Benchmarks

`make bench` measures all of this on the machine it runs on, in about ten minutes, and writes
this page; `make bench ARGS=--quick` takes one minute, prints, and writes nothing.
It needs Linux, two cores and nothing else to run beside it.
The bodies are a recorded client's, with new ids, times and counts in each; the loads are the
same in every run, so two runs can be compared, on one machine.
What was not measured in the latest run is not here; ten and a hundred million events are
[a page of their own](benchmarks/large-history.md).

{render(report)}"""


def save(report: Report) -> None:
    """Keep a report as the latest, and write the page."""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    DOCUMENT.write_text(render_document(report), encoding="utf-8")


def read(path: Path = RESULTS) -> Report:
    """Read a report."""
    found: Report = json.loads(path.read_text(encoding="utf-8"))
    return found


def _render_head(report: Report) -> str:
    machine, commit = report["machine"], report["commit"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    changed = ", with changes" if commit["changed"] else ""
    lines = [
        f"Measured on {report['date']} at commit {commit['commit']}{changed} ({report['scale']}):",
        (
            f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
            f"{machine['system']} {machine['kernel']}; load {report['load']:.1f} at the start."
        ),
        f"{versions}.",
        *(f"**Take care:** {warning}." for warning in report["warnings"]),
    ]
    return "\n".join(lines)


def _render_aims(report: Report) -> str:
    rows = []
    for aim in AIMS:
        value = report["figures"].get(aim.section, {}).get(aim.row, {}).get(aim.column)
        if value is not None:
            verdict = "yes" if aim.is_met(value) else "no"
            digits = max(aim.digits, 0 if value >= 10 else 1)
            rows.append([aim.text, aim.wanted, _number(value, digits), verdict])
    if not rows:
        return ""
    return f"## Aims\n\n{_table(['Figure', 'aim', 'measured', 'met'], rows)}"


def _render_section(section: Section, report: Report) -> str:
    figures: Mapping[str, Mapping[str, float]] = report["figures"].get(section.key, {})
    if not figures:
        return ""
    known = [row for row in section.rows if row in figures]
    order = [*known, *(row for row in figures if row not in section.rows)]
    columns = [
        column for column in section.columns if any(column.key in figures[row] for row in order)
    ]
    header = [section.first, *(column.title for column in columns)]
    rows = [
        [
            section.rows.get(row, row),
            *(_number(figures[row].get(column.key), column.digits) for column in columns),
        ]
        for row in order
    ]
    return f"## {section.title}\n\n{section.text.strip()}\n\n{_table(header, rows)}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, its columns aligned for who reads it as text."""
    widths = [max(map(len, cells)) for cells in zip(header, *rows, strict=True)]
    return "\n".join(_lines(header, rows, widths))


def _lines(
    header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> Iterator[str]:
    def line(cells: Sequence[str]) -> str:
        first, *rest = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        return f"| {' | '.join(padded)} |"

    yield line(header)
    yield line(["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])])
    yield from map(line, rows)
