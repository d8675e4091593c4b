"""My data: everything that is stored of whoever is signed in, who looked at it, and a copy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Final

from codometer.access.account import Account
from codometer.access.actions import ACTIONS, Action
from codometer.access.permissions import Permission
from codometer.analysis.dates import format_moment
from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.query import Query, parse_query
from codometer.analysis.measures.run import Answer
from codometer.analysis.numbers import UNKNOWN
from codometer.errors import BadRequest, Forbidden
from codometer.model.period import parse_period
from codometer.people.access_log import REVEALS
from codometer.people.archive import WHAT
from codometer.people.decisions import Decisions
from codometer.people.own import Look, OwnData
from codometer.people.queue import MOST_WORDS, TARGET, Right
from codometer.people.requests import Stored
from codometer.serve.web.forms import Fields, File, Form
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.visitor import Visitor

_PATH: Final = "/me"
_EXPORT: Final = "/me/export"
_AGREE: Final = "/me/agree"
_WITHDRAW: Final = "/me/withdraw"
_ASK: Final = "/me/ask"
_ASKED: Final = "/me#asked"
_CONSENTS: Final = "/me#consents"
_RANGE: Final = "28d"
_MEASURES: Final = (
    "cost", "tokens", "sessions", "requests",
    "prompts", "lines_added", "commits", "pull_requests",
)  # fmt: skip


_RIGHTS: Final = (
    (Right.CORRECTION, "Correction: something is counted as mine, or not"),
    (Right.OBJECTION, "Objection: count me as nobody from now on"),
    (Right.ERASURE, "Erasure: forget me, for good"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the page is built from."""

    own: OwnData
    decisions: Decisions
    ask: Callable[[Query], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of one's own, and what it was in the days before."""

    label: str
    definition: str
    display: str
    unit: str
    value: object
    before: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One table: what it holds, how many rows, and the newest of them, field by field."""

    name: str
    what: str
    rows: int | None
    fields: Mapping[str, str]


def own_page(own: OwnData, decisions: Decisions, ask: Callable[[Query], Answer]) -> Page[Visitor]:
    """Return the page; `ask` answers as of the last refresh of the sums."""
    sources = Sources(own=own, decisions=decisions, ask=ask)
    return Page(
        path=_PATH,
        name="me",
        title="My data",
        template="own/page.html",
        permission=Permission.READ_OWN,
        is_own=True,
        panels=(
            Panel(
                name="told",
                title="Your name was asked for",
                template="own/told.html",
                build=partial(_build_told, sources),
                classes="c12",
            ),
            Panel(
                name="numbers",
                title="Your numbers, last 28 days",
                template="own/numbers.html",
                build=partial(_build_numbers, sources),
                classes="sheet",
            ),
            Panel(
                name="kept",
                title="What is stored of you",
                template="own/kept.html",
                build=partial(_build_kept, sources),
                classes="c12",
            ),
            Panel(
                name="consents",
                title="What you agreed to",
                template="own/consents.html",
                build=partial(_build_consents, sources),
                classes="c12",
            ),
            Panel(
                name="looks",
                title="Who looked",
                template="own/looks.html",
                build=partial(_build_looks, sources),
                classes="c7",
            ),
            Panel(
                name="rights",
                title="What you can ask for",
                template="own/rights.html",
                build=partial(_build_rights, sources),
                classes="c5",
            ),
        ),
        forms=_list_forms(sources),
    )


def _list_forms(sources: Sources) -> tuple[Form, ...]:
    own, export = Permission.READ_OWN, partial(_export, sources)
    return (
        Form(path=_EXPORT, permission=own, act=export, is_export=True),
        Form(path=_AGREE, permission=own, act=partial(_agree, sources)),
        Form(path=_ASK, permission=own, act=partial(_ask, sources)),
        Form(path=_WITHDRAW, permission=own, act=partial(_withdraw, sources)),
    )


def _build_told(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    return {"looks": _looks(sources, visitor, REVEALS)}


def _build_numbers(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    stored = _find(sources, visitor)
    if stored is None or not stored.persons:
        return {"figures": []}
    query = parse_query(
        _MEASURES,
        period=parse_period(_RANGE, None, now=visitor.now, zone=visitor.zone),
        where=[("person", person) for person in stored.persons],
        compare="previous",
        with_coverage=False,
    )
    # Of themselves, somebody may know everything.
    groups = sources.ask(replace(query, sees_people=True)).groups
    values = groups[0].values if groups else {}
    before = (groups[0].previous or {}) if groups else {}
    return {
        "figures": [
            Figure(
                label=measure.label,
                definition=measure.definition,
                display=measure.display,
                unit=measure.unit,
                value=values.get(name),
                before=before.get(name),
            )
            for name, measure in ((name, MEASURES[name]) for name in _MEASURES)
        ]
    }


def _build_kept(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    stored = _find(sources, visitor)
    return {"stored": stored, "tables": [] if stored is None else _tables(stored, visitor)}


def _build_looks(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    return {"looks": _looks(sources, visitor), "texts": _TEXTS, "when": _when}


def _build_rights(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    is_somebody = visitor.account is not None and visitor.account.person
    return {
        "decision": sources.decisions.find_in_force(),
        "asked": sources.own.list_asked(_account(visitor)) if is_somebody else None,
        "rights": _RIGHTS,
        "most": MOST_WORDS,
        "target": TARGET.days,
    }


def _ask(sources: Sources, visitor: Visitor, fields: Fields) -> str:
    right = fields.get("right", "")
    if right not in [*Right]:
        raise BadRequest(f"{right[:20]!r} cannot be asked for", hint=", ".join(Right))
    sources.own.ask(_account(visitor), Right(right), fields.get("words", ""))
    return _ASKED


def _export(sources: Sources, visitor: Visitor, _: Fields) -> File:
    packed = sources.own.export(_account(visitor), visitor.actor)
    name = f"my-data-{visitor.today}.zip"
    return File(name=name, media_type="application/zip", content=packed)


def _build_consents(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    policy = sources.own.requests.people.policy
    return {"consents": sources.own.list_consents(_account(visitor)), "content": policy.content}


def _agree(sources: Sources, visitor: Visitor, fields: Fields) -> str:
    project, words = fields.get("project", ""), fields.get("text_hash", "")
    sources.own.agree(_account(visitor), project, words)
    return _CONSENTS


def _withdraw(sources: Sources, visitor: Visitor, fields: Fields) -> str:
    sources.own.withdraw(_account(visitor), fields.get("project", ""))
    return _CONSENTS


def _tables(stored: Stored, visitor: Visitor) -> Sequence[Kept]:
    rows = stored.found.rows
    counts = {"events": rows.events, "readings": rows.readings}
    newest = {name: table[0] if table else {} for name, table in stored.newest.items()}
    return [
        Kept(
            name=name,
            what=WHAT[name],
            rows=counts.get(name),
            fields={field: show_field(value, visitor) for field, value in newest[name].items()},
        )
        for name in newest
    ]


def show_field(value: object, visitor: Visitor) -> str:
    """Write the value of a field, whichever it is of, as pages write such values."""
    match value:
        case None | "":
            return UNKNOWN
        case bool():
            return "yes" if value else "no"
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return format_moment(moment, zone=visitor.zone, today=visitor.today)
        case Decimal():
            return f"{value:f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
        case _:
            return str(value)


def _looks(sources: Sources, visitor: Visitor, acts: Collection[Action] = ()) -> Sequence[Look]:
    stored = _find(sources, visitor)
    return [] if stored is None else sources.own.list_looks(stored, acts)


def _when(look: Look) -> datetime:
    return datetime.fromisoformat(look.recorded.entry.time)


def _find(sources: Sources, visitor: Visitor) -> Stored | None:
    account = _account(visitor)
    return visitor.once("stored", lambda: sources.own.find(account))


def _account(visitor: Visitor) -> Account:
    if visitor.account is None:
        raise Forbidden(
            "nobody has signed in, so nothing is known to be theirs",
            hint="codometer person show tells what is stored of somebody",
        )
    return visitor.account


_TEXTS: Final[Mapping[str, str]] = {str(action): text for action, text in ACTIONS.items()}
