"""`/api/v1/privacy`: what is collected, what is not, why, and what was decided for later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Protocol

from codometer.access.actor import Actor
from codometer.access.permissions import Permission
from codometer.errors import BadRequest
from codometer.people.decisions import Decision
from codometer.privacy.profile import POLICIES, Kept, Profile, describe, find_kept
from codometer.serve.api.resource import Action, Call, Resource
from codometer.serve.api.schema import array_schema, object_schema
from codometer.settings import Retention

_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_DECISION: Final = object_schema(
    version={"type": "integer"},
    profile={"enum": [*Profile]},
    purpose=_TEXT,
    reason=_TEXT,
    decided=_INSTANT,
    effective=_INSTANT,
)
_SCHEMA: Final = object_schema(
    in_force=_DECISION,
    upcoming={"anyOf": [_DECISION, {"type": "null"}]},
    in_words=array_schema(_TEXT),
    min_people={
        "type": "integer",
        "description": "the fewest people that a number is meant to tell of",
    },
    **{name: {"type": "integer"} for name in Kept._fields},
)


class PrivacySource(Protocol):
    """Knows what is in force, and decides."""

    def find_in_force(self) -> Decision:
        """Return what is in force."""

    def find_upcoming(self) -> Decision | None:
        """Return what was decided and is not in force yet."""

    def decide(
        self,
        profile: Profile,
        purpose: str | None,
        reason: str,
        actor: Actor,
        *,
        confirmed: str = "",
    ) -> Decision:
        """Decide on something else."""

    def cancel(self, reason: str, actor: Actor) -> Decision:
        """Have what was decided for later not happen."""


def privacy_resource(source: PrivacySource, retention: Retention) -> Resource:
    """Return the resource; `retention` is how long what is kept by the settings."""
    return Resource(
        path="/api/v1/privacy",
        name="privacy",
        summary="What is collected and what is not, and what that is for",
        permission=Permission.READ_PRIVACY,
        answer=lambda _: _document(source, retention),
        schema=_SCHEMA,
        example=_EXAMPLE,
    )


def privacy_action(source: PrivacySource, retention: Retention) -> Action:
    """Return the action that changes the profile or the purpose."""

    def act(call: Call) -> object:
        profile = call.body.get("profile", source.find_in_force().profile)
        if profile not in [*Profile]:
            raise BadRequest(f"{profile!r} is no profile", hint=f"one of {', '.join(Profile)}")
        texts = [call.body.get(name) for name in ("purpose", "reason", "confirm")]
        if not all(text is None or isinstance(text, str) for text in texts):
            raise BadRequest("purpose, reason and confirm are texts")
        purpose, reason, confirmed = texts
        source.decide(
            Profile(profile), purpose, reason or "", call.actor, confirmed=confirmed or ""
        )
        return _document(source, retention)

    return Action(
        path="/api/v1/privacy",
        name="change_privacy",
        summary="Change the profile or the purpose; a weaker profile takes seven days",
        permission=Permission.WRITE_PRIVACY,
        act=act,
        body={
            "type": "object",
            "properties": {
                "profile": {"enum": [*Profile]},
                "purpose": _TEXT,
                "reason": _TEXT,
                "confirm": {**_TEXT, "description": "the profile again, if it is a weaker one"},
            },
            "required": ["reason"],
        },
        body_example={"profile": "strict", "reason": "agreed with the works council"},
        schema=_SCHEMA,
        example=_EXAMPLE,
        errors={409: "more would be known about people, and that is not confirmed"},
    )


def cancel_action(source: PrivacySource, retention: Retention) -> Action:
    """Return the action that has what was decided for later not happen."""

    def act(call: Call) -> object:
        reason = call.body.get("reason", "")
        if not isinstance(reason, str):
            raise BadRequest("reason is no text")
        source.cancel(reason, call.actor)
        return _document(source, retention)

    return Action(
        path="/api/v1/privacy/cancel",
        name="cancel_privacy_change",
        summary="Have a profile that was decided on for later not come",
        permission=Permission.WRITE_PRIVACY,
        act=act,
        body={"type": "object", "properties": {"reason": _TEXT}, "required": ["reason"]},
        body_example={"reason": "the works council said no"},
        schema=_SCHEMA,
        example=_EXAMPLE,
    )


def _document(source: PrivacySource, retention: Retention) -> dict[str, Any]:
    return _told(source.find_in_force(), source.find_upcoming(), retention)


def _told(decision: Decision, upcoming: Decision | None, retention: Retention) -> dict[str, Any]:
    policy = POLICIES[decision.profile]
    kept = find_kept(policy, retention)
    return {
        "in_force": _decision(decision),
        "upcoming": _decision(upcoming) if upcoming else None,
        "in_words": [*describe(policy, kept).sentences],
        "min_people": policy.min_people,
        **kept._asdict(),
    }


def _decision(decision: Decision) -> dict[str, Any]:
    names = ("version", "profile", "purpose", "reason", "decided", "effective")
    return {name: getattr(decision, name) for name in names}


_EXAMPLE_TIME: Final = datetime(2026, 11, 23, 14, tzinfo=UTC)
_EXAMPLE: Final = _told(
    Decision(
        version=2,
        profile=Profile.STANDARD,
        purpose="to see what coding agents cost and whether they help",
        reason="the first administrator joined",
        decided=_EXAMPLE_TIME,
        effective=_EXAMPLE_TIME,
    ),
    None,
    Retention(),
)
