"""Every measure, once. Each surface, document and export is made from this list."""

from __future__ import annotations

from typing import Final

from codometer.analysis.measures.dimensions import TOKEN_COLUMNS
from codometer.analysis.measures.measure import (
    Direction,
    Display,
    Empty,
    Measure,
    Provenance,
    Sum,
)

_REQUEST: Final = frozenset(
    {"model", "provider", "query_source", "subagent", "skill", "mcp_server", "effort", "speed"}
)

COST: Final = Sum(
    name="cost",
    label="Cost",
    definition="List price of the tokens used, or the client's own figure where no price is known.",
    unit="USD",
    display=Display.MONEY,
    direction=Direction.NEITHER,
    empty=Empty.ZERO,
    provenance=Provenance.ESTIMATED,
    dimensions=_REQUEST,
    prometheus="codometer_cost_usd_total",
    columns=("cost",),
)
REPORTED_COST: Final = Sum(
    name="reported_cost",
    label="Reported cost",
    definition="What the clients themselves say that the use cost.",
    unit="USD",
    display=Display.MONEY,
    direction=Direction.NEITHER,
    empty=Empty.ZERO,
    provenance=Provenance.ESTIMATED,
    dimensions=_REQUEST,
    prometheus="codometer_reported_cost_usd_total",
    columns=("reported_cost",),
)
TOKENS: Final = Sum(
    name="tokens",
    label="Tokens",
    definition="Tokens that models read or wrote, cached ones included.",
    unit="tokens",
    display=Display.COUNT,
    direction=Direction.NEITHER,
    empty=Empty.ZERO,
    provenance=Provenance.COUNTED,
    dimensions=_REQUEST | {"token_type"},
    prometheus="codometer_tokens_total",
    columns=tuple(TOKEN_COLUMNS.values()),
)
REQUESTS: Final = Sum(
    name="requests",
    label="Requests",
    definition="Successful calls to a model.",
    unit="requests",
    display=Display.COUNT,
    direction=Direction.NEITHER,
    empty=Empty.ZERO,
    provenance=Provenance.COUNTED,
    dimensions=_REQUEST,
    prometheus="codometer_requests_total",
    columns=("requests",),
)

MEASURES: Final[dict[str, Measure]] = {
    measure.name: measure for measure in (COST, REPORTED_COST, TOKENS, REQUESTS)
}
"""Every measure by its name, in the order in which documents list them."""
