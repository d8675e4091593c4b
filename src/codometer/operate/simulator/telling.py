"""How clients word what they send, whatever it is encoded as."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from codometer.model.signal import Temporality
from codometer.operate.simulator.facts import Pairs, Process, Record

PREFIX: Final = "claude_code."
METRICS_SCOPE: Final = "com.anthropic.claude_code"
EVENTS_SCOPE: Final = f"{METRICS_SCOPE}.events"
NS_PER_MS: Final = 1_000_000
TEMPORALITIES: Final = {Temporality.DELTA: 1, Temporality.CUMULATIVE: 2}

UNITS_AND_DESCRIPTIONS: Final = {
    "session.count": ("", "Count of CLI sessions started"),
    "lines_of_code.count": (
        "",
        (
            "Count of lines of code modified, with the 'type' attribute indicating whether lines"
            " were added or removed and the 'model' attribute indicating which model made the"
            " change"
        ),
    ),
    "pull_request.count": ("", "Number of pull requests created"),
    "commit.count": ("", "Number of git commits created"),
    "cost.usage": ("USD", "Cost of the Claude Code session"),
    "token.usage": ("tokens", "Number of tokens used"),
    "code_edit_tool.decision": (
        "",
        (
            "Count of code editing tool permission decisions (accept/reject) for Edit, Write, and"
            " NotebookEdit tools"
        ),
    ),
    "active_time.total": ("s", "Total active time in seconds"),
}


def resource_pairs(process: Process) -> Pairs:
    """Return the attributes of the resource."""
    installation = process.installation
    return (
        *_set_by_administrator(process),
        ("host.arch", installation.arch),
        ("os.type", installation.os_type),
        ("os.version", installation.os_version),
        ("service.name", "claude-code"),
        ("service.version", installation.release.version),
    )


def context_pairs(process: Process, *, with_session_id: bool = True) -> Pairs:
    """Return the attributes of every record and point, the administrator's once more among them."""
    person, installation = process.person, process.installation
    pairs: Pairs = (*_set_by_administrator(process), ("user.id", installation.id))
    if with_session_id:
        pairs += (("session.id", process.session),)
    if person.is_service:
        pairs += (("app.entrypoint", "claude-code-github-action"),)
    if person.account:
        pairs += (
            ("organization.id", person.organisation),
            ("user.email", person.account.email),
            ("user.account_uuid", person.account.uuid),
            ("user.account_id", person.account.id),
        )
    if process.repository:
        pairs += (("vcs.repository.name", process.repository),)
    if installation.release.tells_more:
        pairs += (("anthropic.provider", "firstParty"),)
    return (*pairs, ("terminal.type", process.terminal))


def record_pairs(record: Record, number: int) -> Pairs:
    """Return the attributes that only this record of a process has."""
    return (
        ("event.name", record.name),
        ("event.timestamp", _timestamp(record.stamped_ms)),
        ("event.sequence", number),
        *record.pairs,
    )


def _set_by_administrator(process: Process) -> Pairs:
    return (("team.id", process.person.team), ("cost_center", process.person.cost_center))


def _timestamp(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
