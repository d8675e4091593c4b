"""The ways to group and to filter, as data.

Time is cut in the period's zone. What is known of the client applies to every
measure; the rest applies where the signals behind a measure carry it,
which each measure says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from codometer.store.tables import resource_column

RESOURCE: Final = "resource."
"""What the name of a resource attribute's dimension starts with."""

PERSON: Final = "person"

TOKEN_COLUMNS: Final = {
    "uncached_input": "uncached_input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "output": "output_tokens",
}
"""The values of `token_type`, and the sum that each stands for."""


class Place(StrEnum):
    """Where the value of a dimension comes from."""

    TIME = "time"
    WORKPLACE = "workplace"
    ORIGIN = "origin"
    ROLLUP = "rollup"
    TOKEN_TYPE = "token_type"  # noqa: S105 - the other kind of token


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A way to group measures."""

    name: str
    label: str
    definition: str
    place: Place

    @property
    def parts_people(self) -> bool:
        """Whether it parts the organisation into groups of people, rather than what they use."""
        is_of_the_client = self.name in {"agent", "version", "terminal"}
        return self.place is Place.ORIGIN or (
            self.place is Place.WORKPLACE and not is_of_the_client
        )

    @property
    def column(self) -> str:
        """The column that holds it, where one does."""
        if self.name.startswith(RESOURCE):
            return resource_column(self.name.removeprefix(RESOURCE)).name
        return self.name


def resource_dimension(key: str) -> Dimension:
    """Return the dimension of a resource attribute."""
    return Dimension(
        name=RESOURCE + key,
        label=key,
        definition=f"The resource attribute `{key}`, where the administrator allows it.",
        place=Place.WORKPLACE,
    )


def _at(place: Place, entries: dict[str, tuple[str, str]]) -> tuple[Dimension, ...]:
    return tuple(
        Dimension(name=name, label=label, definition=definition, place=place)
        for name, (label, definition) in entries.items()
    )


TIME: Final = _at(
    Place.TIME,
    {
        "hour": ("Hour", "The instant (UTC) at which an hour of the zone's clocks begins."),
        "day": ("Day", "A calendar day in the zone."),
        "week": ("Week", "An ISO week in the zone, by its Monday."),
        "month": ("Month", "A calendar month in the zone, by its first day."),
    },
)

_WORKPLACE: Final = _at(
    Place.WORKPLACE,
    {
        "organisation": ("Organisation", "The organisation that the client belongs to."),
        "team": ("Team", "The team that the client belongs to."),
        "cost_center": ("Cost centre", "The cost centre that the client is charged to."),
        "agent": ("Agent", "The coding agent, such as Claude Code."),
        "version": ("Version", "The version of the coding agent."),
        "terminal": ("Terminal", "The terminal or editor in which it runs."),
        "repository": ("Repository", "The repository that it works in, where the client tells."),
    },
)

_ORIGIN: Final = _at(
    Place.ORIGIN,
    {
        PERSON: ("Person", "Who used the client, by the best identity that came."),
        "session": ("Session", "One conversation with the client."),
    },
)

CLIENT: Final = (*_WORKPLACE, *_ORIGIN)
"""What is known of a client, whatever it does."""

ROLLUP: Final = _at(
    Place.ROLLUP,
    {
        "model": ("Model", "The model that was asked."),
        "provider": ("Provider", "Who serves the model."),
        "query_source": ("Query source", "Which part of the client asked: main, subagent, …"),
        "subagent": ("Subagent", "The subagent for which the model was asked."),
        "skill": ("Skill", "The skill for which the model was asked."),
        "mcp_server": ("MCP server", "The MCP server involved."),
        "effort": ("Effort", "The effort that the model was asked for."),
        "speed": ("Speed", "The speed at which the model was asked to answer."),
        "tool": ("Tool", "The tool that was called or decided on."),
        "language": ("Language", "The programming language of the edited file."),
        "decision_source": ("Decision source", "Who or what decided: a person, or configuration."),
        "error_status": ("Error status", "The HTTP status of the failed request."),
    },
)

TOKEN_TYPE: Final = Dimension(
    name="token_type",
    label="Token type",
    definition=f"One of {', '.join(TOKEN_COLUMNS)}; they never overlap.",
    place=Place.TOKEN_TYPE,
)

DIMENSIONS: Final = {
    dimension.name: dimension for dimension in (*TIME, *CLIENT, *ROLLUP, TOKEN_TYPE)
}
"""Every dimension by its name, but for `resource.<key>`, of which there is one a key."""
