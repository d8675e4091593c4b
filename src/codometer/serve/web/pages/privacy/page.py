"""The page of privacy, and the one on which a change of it is looked at once more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from codometer.access.permissions import Permission
from codometer.errors import BadRequest
from codometer.operate.connect import WITHOUT_CONTENT
from codometer.people.decisions import NOTICE, Decision
from codometer.people.queue import count_overdue
from codometer.privacy.profile import Profile, describe, is_weaker
from codometer.serve.web.forms import Fields, Form
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.pages.privacy.profiles import (
    PROFILES,
    list_changes,
    list_rows,
    list_sight,
)
from codometer.serve.web.pages.privacy.record import record_page
from codometer.serve.web.pages.privacy.sources import PrivacySources
from codometer.serve.web.visitor import Visitor

_PATH: Final = "/privacy"
_CHANGE: Final = "/privacy/change"
_SHOWN: Final = 10


def privacy_pages(sources: PrivacySources) -> tuple[Page[Visitor], ...]:
    """Return the pages."""
    return (_privacy_page(sources), _change_page(sources), record_page(sources))


def _privacy_page(sources: PrivacySources) -> Page[Visitor]:
    panels = (
        ("collected", "What is collected, and what is not", _build_collected, "c8"),
        ("decision", "In force", _build_decision, "c4"),
        ("upcoming", "What is about to change", _build_upcoming, "c12"),
        ("waiting", "What people asked for", _build_waiting, "c12"),
        ("sent", "Clients that send what people or models write", _build_sent, "c12"),
        ("profiles", "Profiles", _build_profiles, "c12"),
        ("sight", "Who may see what", _build_sight, "c12"),
        ("history", "What was decided", _build_history, "c7"),
        ("change", "Change it", _build_change, "c5 screen"),
    )
    return Page(
        path=_PATH,
        name="privacy",
        title="Privacy",
        tab="What is collected",
        template="privacy/page.html",
        group="Privacy & access",
        permission=Permission.READ_PRIVACY,
        panels=tuple(
            Panel(
                name=name,
                title=title,
                template=f"privacy/{name}.html",
                build=partial(build, sources),
                classes=classes,
            )
            for name, title, build, classes in panels
        ),
    )


def _change_page(sources: PrivacySources) -> Page[Visitor]:
    return Page(
        path=_CHANGE,
        name="privacy",
        title="Change privacy",
        template="privacy/review_page.html",
        group=None,
        permission=Permission.WRITE_PRIVACY,
        panels=(
            Panel(
                name="review",
                title="What this changes",
                template="privacy/review.html",
                build=partial(_build_review, sources),
                classes="c12",
            ),
        ),
        forms=(
            Form(path=_CHANGE, permission=Permission.WRITE_PRIVACY, act=partial(_decide, sources)),
        ),
    )


def _build_collected(sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    policy = sources.policy(sources.decisions.find_in_force())
    described = describe(policy, sources.kept(policy))
    return {"first": (described.collected, described.never), "others": described.meaning}


def _build_decision(sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    decision = sources.decisions.find_in_force()
    return {
        "decision": decision,
        "minimum": sources.minimum_people(),
        "kept": sources.kept(sources.policy(decision)),
    }


def _build_upcoming(sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    upcoming = sources.decisions.find_upcoming()
    if upcoming is None:
        return {"upcoming": None}
    now = sources.decisions.find_in_force()
    return {
        "upcoming": upcoming,
        "now": now,
        "changes": list_changes(now.profile, upcoming.profile),
    }


def _build_waiting(sources: PrivacySources, visitor: Visitor) -> Mapping[str, object]:
    waiting = sources.list_waiting()
    return {"waiting": len(waiting), "overdue": count_overdue(waiting, visitor.now)}


def _build_sent(sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    policy = sources.policy(sources.decisions.find_in_force())
    return {
        "sent": sources.sent_content(),
        "content": policy.content,
        "settings": WITHOUT_CONTENT,
    }


def _build_profiles(sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    decision = sources.decisions.find_in_force()
    return {"profiles": PROFILES, "rows": list_rows(), "current": decision.profile}


def _build_sight(_sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    columns, rows = list_sight()
    return {"columns": columns, "rows": rows}


def _build_history(sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    decided = sources.decisions.list_decisions()
    return {"decided": decided[::-1][:_SHOWN], "earlier": max(0, len(decided) - _SHOWN)}


def _build_change(sources: PrivacySources, _: Visitor) -> Mapping[str, object]:
    return {"decision": sources.decisions.find_in_force(), "profiles": PROFILES}


def _build_review(sources: PrivacySources, visitor: Visitor) -> Mapping[str, object]:
    given = visitor.asked
    before = sources.decisions.find_in_force()
    profile = _profile(given.get("profile", ""))
    is_later = is_weaker(profile, than=before.profile)
    return {
        "before": before,
        "profile": profile,
        "purpose": given.get("purpose", before.purpose).strip(),
        "reason": given.get("reason", "").strip(),
        "changes": list_changes(before.profile, profile),
        "effective": visitor.now + NOTICE if is_later else None,
        "upcoming": sources.decisions.find_upcoming(),
    }


def _decide(sources: PrivacySources, visitor: Visitor, fields: Fields) -> str:
    profile = _profile(fields.get("profile", ""))
    if fields.get("confirm", "").strip().lower() != profile:
        raise BadRequest(
            "this was not confirmed", hint=f"write {profile}, the name of the profile, once more"
        )
    made: Decision = sources.decisions.decide(
        profile,
        fields.get("purpose"),
        fields.get("reason", ""),
        visitor.actor,
        confirmed=profile,
    )
    return f"{_PATH}#upcoming" if made.effective > made.decided else _PATH


def _profile(name: str) -> Profile:
    if name not in PROFILES:
        raise BadRequest(f"{name[:20]!r} is no profile", hint=f"one of {', '.join(PROFILES)}")
    return Profile(name)
