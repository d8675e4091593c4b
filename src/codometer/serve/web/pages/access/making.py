"""Making, rotating and revoking a credential; what is secret is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from codometer.access.credential import LONGEST, USUAL_LIFETIMES, USUAL_OVERLAP, Made, Wanted
from codometer.access.permissions import GIVEN_FREELY, SCOPES, USUAL_SCOPES, Permission
from codometer.access.secret import Kind
from codometer.errors import BadRequest
from codometer.operate.connect import lines_with
from codometer.serve.web.forms import Fields, Shown, check_confirmed
from codometer.serve.web.page import Page
from codometer.serve.web.pages.access.credentials import KIND_NAMES, KINDS, group_scopes, line_of
from codometer.serve.web.pages.access.sources import (
    CREDENTIALS,
    AccessSources,
    form_page,
    read_lines,
)
from codometer.serve.web.visitor import Visitor

_NEW: Final = "/access/credentials/new"
_ROTATE: Final = "/access/credential/rotate"
_REVOKE: Final = "/access/credential/revoke"
_MOST_DIGITS: Final = 3
_PASTE: Final = {
    Kind.INGEST: "Paste this into a shell, then start claude in it",
    Kind.PERSONAL: "Paste this into a shell, for the commands of codometer",
    Kind.SERVICE: "Give the program these variables",
    Kind.SCRAPE: "Add this to prometheus.yml",
}


def new_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page on which a credential is made, its kind first."""
    return form_page(
        sources, CREDENTIALS, path=_NEW, title="New credential", build=_build_new, act=_make
    )


def rotate_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page on which a credential gets a second secret."""
    return form_page(
        sources,
        CREDENTIALS,
        path=_ROTATE,
        title="Rotate a credential",
        build=_build_rotate,
        act=_rotate,
    )


def revoke_page(sources: AccessSources) -> Page[Visitor]:
    """Return the page on which a credential is ended."""
    return form_page(
        sources,
        CREDENTIALS,
        path=_REVOKE,
        title="Revoke a credential",
        build=_build_revoke,
        act=_revoke,
    )


def _build_new(_: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    given = visitor.asked
    kind = _read_kind(given.get("kind", Kind.INGEST))
    offered = SCOPES[kind] & (visitor.subject.granted | GIVEN_FREELY)
    return {
        "kind": kind,
        "kinds": KIND_NAMES,
        "means": KINDS[kind],
        "groups": group_scopes(offered),
        "chosen": _find_scopes(visitor.sent) if visitor.sent else USUAL_SCOPES[kind] & offered,
        "days": visitor.sent.get("days", str(USUAL_LIFETIMES[kind].days)),
        "longest": LONGEST.days,
    }


def _build_rotate(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    lifetime = sources.get_credential(visitor.asked.get("id", "")).lifetime
    return {
        **_build_revoke(sources, visitor),
        "overlap": visitor.sent.get("overlap", str(USUAL_OVERLAP.days)),
        "days": visitor.sent.get("days", str(max(1, lifetime.days))),
        "longest": LONGEST.days,
    }


def _build_revoke(sources: AccessSources, visitor: Visitor) -> Mapping[str, object]:
    found = sources.get_credential(visitor.asked.get("id", ""))
    return {"line": line_of(found, visitor.now), "credential": found}


def _make(sources: AccessSources, visitor: Visitor, fields: Fields) -> Shown:
    kind = _read_kind(fields.get("kind", ""))
    wanted = Wanted(
        kind=kind,
        name=fields.get("name", "").strip(),
        scopes=_find_scopes(fields),
        lifetime=_read_days(fields, "days"),
        team=_read_text(fields, "team"),
        binds_team="binds_team" in fields,
        cost_center=_read_text(fields, "cost_center"),
        person=_read_text(fields, "person"),
        addresses=read_lines(fields.get("addresses", "")),
    )
    return _show(sources, sources.access.credentials.create(wanted, visitor.actor))


def _rotate(sources: AccessSources, visitor: Visitor, fields: Fields) -> Shown:
    made = sources.access.credentials.rotate(
        fields.get("id", ""),
        visitor.actor,
        overlap=_read_days(fields, "overlap"),
        lifetime=_read_days(fields, "days"),
    )
    return _show(sources, made)


def _revoke(sources: AccessSources, visitor: Visitor, fields: Fields) -> str:
    found = sources.get_credential(fields.get("id", ""))
    check_confirmed(fields.get("confirm", ""), found.name, "name of the credential")
    revoked = sources.access.credentials.revoke(found.id, visitor.actor)
    return visitor.href("/access/credential", id=revoked.id)


def _show(sources: AccessSources, made: Made) -> Shown:
    kind = made.credential.kind
    values = {
        "credential": made.credential,
        "secret": made.secret,
        "paste": _PASTE[kind],
        "lines": lines_with(kind, made.secret, sources.settings),
    }
    return Shown(template="access/secret.html", values=values)


def _find_scopes(fields: Fields) -> frozenset[Permission]:
    return frozenset(scope for scope in Permission if f"scope {scope}" in fields)


def _read_kind(kind: str) -> Kind:
    if kind not in [*Kind]:
        raise BadRequest(f"{kind[:20]!r} is no kind", hint=f"one of {', '.join(Kind)}")
    return Kind(kind)


def _read_text(fields: Fields, name: str) -> str | None:
    return fields.get(name, "").strip() or None


def _read_days(fields: Fields, name: str) -> timedelta:
    days = fields.get(name, "").strip()
    if not (days.isascii() and days.isdigit() and len(days) <= _MOST_DIGITS):
        raise BadRequest(
            f"{days[:10]!r} is no number of days", hint=f"at most {LONGEST.days}", field=name
        )
    return timedelta(days=int(days))
