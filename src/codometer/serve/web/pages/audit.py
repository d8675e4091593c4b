"""What was done, by whom and why; whether the record of it is whole; and a copy of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from codometer.access.account import Account
from codometer.access.accounts import Accounts
from codometer.access.actions import ACTIONS, Action, Outcome
from codometer.access.audit import AuditLog, Filter, Recorded
from codometer.access.permissions import Permission
from codometer.access.verification import verify
from codometer.errors import BadRequest
from codometer.people.archive import write_csv
from codometer.serve.api.audit import describe_entry, read_filter
from codometer.serve.web.forms import Fields, File, Form
from codometer.serve.web.naming import ACTOR_NAMES
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.visitor import Visitor

_PATH: Final = "/audit"
_EXPORT: Final = "/audit/export"
_SHOWN: Final = 25
_MOST_EXPORTED: Final = 100_000
_AT_ONCE_ENTRIES: Final = 5_000
"""So many are verified with every visit; more take a while, and somebody must ask for it."""
_FILTERS: Final = ("action", "actor", "object", "outcome", "since", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry as it is shown; `who` has a name where an account still has one."""

    entry: Mapping[str, Any]
    time: datetime
    who: str
    text: str
    details: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The log, and who its ids are."""

    log: AuditLog
    accounts: Accounts


def audit_page(log: AuditLog, accounts: Accounts) -> Page[Visitor]:
    """Return the page."""
    sources = Sources(log=log, accounts=accounts)
    return Page(
        path=_PATH,
        name="audit",
        title="Audit log",
        template="audit/page.html",
        group="Privacy & access",
        permission=Permission.READ_AUDIT,
        panels=(
            Panel(
                name="whole",
                title="Is it whole?",
                template="audit/whole.html",
                build=partial(_build_whole, sources),
                classes="c12",
            ),
            Panel(
                name="entries",
                title="Entries",
                template="audit/entries.html",
                build=partial(_build_entries, sources),
                classes="c12",
            ),
        ),
        forms=(
            Form(
                path=_EXPORT,
                permission=Permission.READ_AUDIT,
                act=partial(_export, sources),
                is_export=True,
            ),
        ),
    )


def _build_whole(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    (newest, *_) = sources.log.list_entries(Filter(limit=1))
    is_quick = newest.entry.seq <= _AT_ONCE_ENTRIES
    found = verify(sources.log) if is_quick or visitor.given.get("verify") else None
    return {"found": found, "entries": newest.entry.seq}


def _build_entries(sources: Sources, visitor: Visitor) -> Mapping[str, object]:
    given = _asked(visitor)
    wanted = _filter(given, visitor)
    found = sources.log.list_entries(replace(wanted, limit=_SHOWN + 1))
    logins = {each.id: each for each in sources.accounts.list_accounts()}
    shown = found[:_SHOWN]
    return {
        "lines": [_line(each, logins) for each in shown],
        "given": given,
        "is_filtered": any(given.get(name) for name in _FILTERS),
        "actions": [("", "All"), *((each, each) for each in Action)],
        "outcomes": [("", "All"), *((each, each.capitalize()) for each in Outcome)],
        "older": shown[-1].entry.seq if len(found) > _SHOWN else None,
        "is_first": wanted.before is None,
        "most": _MOST_EXPORTED,
    }


def _asked(visitor: Visitor) -> Mapping[str, str]:
    given = visitor.asked
    return {name: given.get(name, "").strip() for name in (*_FILTERS, "before")}


def _filter(given: Mapping[str, str], visitor: Visitor) -> Filter:
    """Return the filter; days are as people count them, the last included."""
    return read_filter(
        {**given, "until": _day_after(given.get("until", ""))}, visitor.zone.key, visitor.now
    )


def _day_after(text: str) -> str:
    try:
        return date.fromordinal(date.fromisoformat(text).toordinal() + 1).isoformat()
    except ValueError:
        return text


def _export(sources: Sources, visitor: Visitor, fields: Fields) -> File:
    form = fields.get("format", "")
    if form not in {"csv", "json"}:
        raise BadRequest(f"{form[:10]!r} is no format", hint="one of csv, json")
    given = {name: fields.get(name, "").strip() for name in _FILTERS}
    found = sources.log.read_entries(_filter(given, visitor), _MOST_EXPORTED)
    with sources.log.change(visitor.actor) as change:
        asked = {name: value for name, value in given.items() if value}
        change.record(
            Action.AUDIT_EXPORT,
            object="audit",
            after={"entries": len(found), "format": form, "filter": {**asked}},
        )
    documents = [describe_entry(each) for each in found]
    name = f"audit-{visitor.today}.{form}"
    if form == "json":
        text = json.dumps({"entries": documents}, ensure_ascii=False, indent=1)
        return File(name=name, media_type="application/json", content=text.encode())
    rows = [{**each, **_differences(each)} for each in documents]
    return File(name=name, media_type="text/csv", content=write_csv(rows).encode())


def _differences(document: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        side: json.dumps(document[side], ensure_ascii=False) if document[side] else ""
        for side in ("before", "after")
    }


def _line(each: Recorded, accounts: Mapping[str, Account]) -> Line:
    entry = describe_entry(each)
    account = accounts.get(each.entry.actor)
    before, after = entry["before"], entry["after"]
    return Line(
        entry=entry,
        time=datetime.fromisoformat(each.entry.time),
        who=account.login if account else ACTOR_NAMES.get(each.entry.actor_kind, ""),
        text=_TEXTS.get(each.entry.action, "An act that this version does not know."),
        details=[
            (name, _told(before.get(name)), _told(after.get(name)))
            for name in sorted({*before, *after})
        ],
    )


def _told(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_TEXTS: Final[Mapping[str, str]] = {str(action): text for action, text in ACTIONS.items()}
