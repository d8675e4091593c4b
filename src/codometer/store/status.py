"""What arrived and what is stored, read from the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
)

if TYPE_CHECKING:
    from codometer.store.engine import Engine

_LISTED = 50

_SIGNALS = """
SELECT signal, count(*), min(time), max(time) FROM (
  SELECT CASE source WHEN 'span' THEN 'traces' ELSE 'logs' END AS signal, time FROM event
  UNION ALL
  SELECT 'metrics', time FROM reading)
GROUP BY signal ORDER BY signal
"""
_VERSIONS = f"""
SELECT w.agent, w.version, count(DISTINCT s.session_id), max(s.bucket)
FROM session_15m s JOIN workplace w ON w.workplace = s.workplace
GROUP BY w.agent, w.version ORDER BY max(s.bucket) DESC, w.agent, w.version LIMIT {_LISTED}
"""
_PEOPLE = """
SELECT person_kind, count(DISTINCT person) FROM origin
WHERE person_kind IS NOT NULL GROUP BY person_kind ORDER BY person_kind
"""
_UNPRICED = f"""
SELECT coalesce(model, 'unknown'), sum(unpriced_requests) FROM workplace_day
WHERE unpriced_requests > 0 GROUP BY 1 ORDER BY 2 DESC LIMIT {_LISTED}
"""
_STRANGERS = f"""
SELECT agent, what, name, count, last FROM stranger ORDER BY count DESC LIMIT {_LISTED}
"""
_SENT_CONTENT = f"""
SELECT agent, version, part, count, last FROM sent_content ORDER BY last DESC LIMIT {_LISTED}
"""
_REJECTED = f"SELECT reason, count, last FROM rejected ORDER BY count DESC LIMIT {_LISTED}"


def read_status(engine: Engine, path: Path, as_of: datetime | None) -> Status:
    """Read the status; `as_of` is when the rollups last held everything."""

    def single(sql: str) -> int:
        return int(engine.fetch(sql)[0][0])

    oldest = engine.fetch("SELECT min(time) FROM event")[0][0]
    return Status(
        signals=tuple(
            SignalStatus(signal=signal, events=count, first=_aware(first), last=_aware(last))
            for signal, count, first, last in engine.fetch(_SIGNALS)
        ),
        clients=single("SELECT count(DISTINCT installation) FROM origin"),
        sessions=single("SELECT count(DISTINCT session) FROM origin"),
        people=tuple(PeopleStatus(kind=kind, count=count) for kind, count in engine.fetch(_PEOPLE)),
        versions=tuple(
            VersionStatus(agent=agent, version=version, sessions=sessions, last=_aware(last))
            for agent, version, sessions, last in engine.fetch(_VERSIONS)
        ),
        unknown_names=tuple(
            UnknownName(agent=agent, what=what, name=name, count=count, last=_aware(last))
            for agent, what, name, count, last in engine.fetch(_STRANGERS)
        ),
        sent_content=read_sent_content(engine),
        rejects=read_rejects(engine),
        unpriced_models=tuple(
            UnpricedModel(model=model, requests=int(requests))
            for model, requests in engine.fetch(_UNPRICED)
        ),
        storage=StorageStatus(
            path=str(path),
            bytes=sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")),
            detail_rows=single(
                "SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM reading)"
            ),
            rollup_rows=single("SELECT count(*) FROM rollup_15m"),
            oldest_detail=_aware(oldest),
        ),
        rollup=RollupStatus(
            as_of=as_of, pending=single("SELECT count(*) FROM (SELECT DISTINCT * FROM dirty)")
        ),
    )


def read_rejects(engine: Engine) -> tuple[RejectStatus, ...]:
    """Read which signals were refused, which takes no time, unlike the rest of the status."""
    return tuple(
        RejectStatus(reason=reason, count=count, last=_aware(last))
        for reason, count, last in engine.fetch(_REJECTED)
    )


def read_sent_content(engine: Engine) -> tuple[ContentStatus, ...]:
    """Read which clients send content, the latest first, at once as well."""
    return tuple(
        ContentStatus(
            agent=agent, version=version or None, part=part, count=count, last=_aware(last)
        )
        for agent, version, part, count, last in engine.fetch(_SENT_CONTENT)
    )


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
