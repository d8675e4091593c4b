"""`/api/v1/status`: what arrived, when, from how many clients; what is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from codometer.access.credential import NOTICES, Credential, find_notice
from codometer.access.permissions import Permission
from codometer.access.secret import Kind
from codometer.model.status import (
    ContentStatus,
    PeopleStatus,
    RejectStatus,
    RollupStatus,
    SignalStatus,
    Status,
    StorageStatus,
    UnknownName,
    UnpricedModel,
    VersionStatus,
    name_content_only,
    name_only,
)
from codometer.operate.connect import grpc_url, otlp_url
from codometer.people.retention import Run
from codometer.privacy.profile import Profile
from codometer.serve.api.resource import Resource
from codometer.serve.api.retention import RUN_EXAMPLE, RUN_SCHEMA, describe_run
from codometer.serve.api.schema import array_schema, object_schema, schema_of
from codometer.settings import Listen, Settings, base_url

_SERVER_SCHEMA: Final = object_schema(
    version={"type": "string"},
    time={"type": "string", "format": "date-time"},
    url={"type": "string"},
    otlp_http={"type": "string"},
    privacy={"enum": [*Profile]},
    otlp_grpc={"type": "string"},
)
_ENDING_SCHEMA: Final = object_schema(
    id={"type": "string"},
    kind={"enum": [*Kind]},
    expires={"type": "string", "format": "date-time"},
    within_days={"enum": [*NOTICES]},
)


class StatusSource(Protocol):
    """Knows what arrived and what is stored."""

    def read_status(self) -> Status:
        """Return it as of now. May block, for seconds where much is stored."""

    def read_rejects(self) -> Sequence[RejectStatus]:
        """Return which signals were refused, which is a part of it, at once."""

    def read_sent_content(self) -> Sequence[ContentStatus]:
        """Return which clients send content, likewise."""


@dataclass(frozen=True, slots=True)
class ToldStatus:
    """What may be told of a source: where people are protected, no use of theirs."""

    source: StatusSource
    minimum_people: Callable[[], int]

    def read_status(self) -> Status:
        """Return the status."""
        status = self.source.read_status()
        return name_only(status) if self._protects else status

    def read_rejects(self) -> Sequence[RejectStatus]:
        """Return which signals were refused, which is nobody's use of anything."""
        return self.source.read_rejects()

    def read_sent_content(self) -> Sequence[ContentStatus]:
        """Return which clients send content."""
        sent = self.source.read_sent_content()
        return name_content_only(sent) if self._protects else sent

    @property
    def _protects(self) -> bool:
        return self.minimum_people() > 1


def status_resource(
    source: StatusSource,
    *,
    settings: Settings,
    version: str,
    find_profile: Callable[[], Profile],
    find_last_run: Callable[[], Run | None],
    list_ending: Callable[[datetime], Sequence[Credential]],
    now: Callable[[], datetime],
) -> Resource:
    """Return the resource that tells how the server is doing, and under which privacy profile."""
    schema = schema_of(Status)
    before = {"server": _SERVER_SCHEMA, "ending_credentials": array_schema(_ENDING_SCHEMA)}
    after = {"retention": {"anyOf": [RUN_SCHEMA, {"type": "null"}]}}
    schema["properties"] = {**before, **schema["properties"], **after}
    schema["required"] = [*before, *schema["required"], *after]

    def answer(_: object) -> dict[str, Any]:
        time = now()
        return {
            "server": _server(settings.listen, version, time, find_profile()),
            "ending_credentials": [_ending(each, time) for each in list_ending(time)],
            **_told(source.read_status()),
            "retention": describe_run(find_last_run()),
        }

    return Resource(
        path="/api/v1/status",
        name="status",
        summary="What arrived, when, from how many clients; what is stored",
        permission=Permission.READ_STATUS,
        answer=answer,
        schema=schema,
        example={
            "server": _server(Listen(), "1.0.0", _EXAMPLE_TIME, Profile.STANDARD),
            "ending_credentials": [_EXAMPLE_ENDING],
            **_told(_EXAMPLE),
            "retention": RUN_EXAMPLE,
        },
    )


def _server(listen: Listen, version: str, time: datetime, profile: Profile) -> dict[str, Any]:
    return {
        "version": version,
        "time": time,
        "url": base_url(listen),
        "otlp_http": otlp_url(listen),
        "privacy": profile,
        "otlp_grpc": grpc_url(listen),
    }


def _ending(credential: Credential, now: datetime) -> dict[str, Any]:
    """Return what may be told to whoever sees the status: no name, which may be a person's."""
    return {
        "id": credential.id,
        "kind": credential.kind,
        "expires": credential.secrets[-1].expires,
        "within_days": find_notice(credential, now),
    }


def _told(status: Status) -> dict[str, Any]:
    return {name: getattr(status, name) for name in Status.__slots__}


_EXAMPLE_TIME: Final = datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC)
_EXAMPLE_LAST: Final = datetime(2026, 11, 23, 14, 3, 8, tzinfo=UTC)
_EXAMPLE_ENDING: Final = {
    "id": "crd_5f0c9a1e7b",
    "kind": Kind.INGEST,
    "expires": datetime(2026, 11, 28, tzinfo=UTC),
    "within_days": 7,
}
_EXAMPLE_FIRST: Final = datetime(2026, 11, 2, 8, 15, tzinfo=UTC)
_EXAMPLE: Final = Status(
    signals=(
        SignalStatus(signal="logs", events=8_214, first=_EXAMPLE_FIRST, last=_EXAMPLE_LAST),
        SignalStatus(signal="metrics", events=2_790, first=_EXAMPLE_FIRST, last=_EXAMPLE_LAST),
        SignalStatus(signal="traces", events=0, first=None, last=None),
    ),
    clients=3,
    sessions=41,
    people=(PeopleStatus(kind="account", count=2), PeopleStatus(kind="service", count=1)),
    versions=(
        VersionStatus(agent="claude_code", version="2.1.330", sessions=41, last=_EXAMPLE_LAST),
    ),
    unknown_names=(
        UnknownName(
            agent="claude_code", what="event", name="new_thing", count=2, last=_EXAMPLE_LAST
        ),
    ),
    sent_content=(
        ContentStatus(
            agent="claude_code", version="2.1.330", part="prompt", count=17, last=_EXAMPLE_LAST
        ),
    ),
    rejects=(RejectStatus(reason="too_old", count=1, last=_EXAMPLE_LAST),),
    unpriced_models=(UnpricedModel(model="claude-next", requests=12),),
    storage=StorageStatus(
        path=str(Path("codometer-data")),
        bytes=7_340_032,
        detail_rows=11_004,
        rollup_rows=1_920,
        oldest_detail=_EXAMPLE_FIRST,
    ),
    rollup=RollupStatus(as_of=datetime(2026, 11, 23, 14, 0, tzinfo=UTC), pending=0),
)
