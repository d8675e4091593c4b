"""OTLP bodies to signals, whichever way they are written."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from codometer.intake.receivers import otlp_json, otlp_protobuf
from codometer.intake.receivers.export import Encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codometer.errors import Malformed
    from codometer.intake.receivers.export import ExportRequest
    from codometer.model.signal import Signal, SignalKind

_DECODERS: Final = {
    Encoding.PROTOBUF: otlp_protobuf.decode_all,
    Encoding.JSON: otlp_json.decode_all,
}


def decode_all(requests: Sequence[ExportRequest]) -> list[list[Signal] | Malformed]:
    """Return for each request its signals, in the order they stand there.

    A body that is not what its content type and path say has an error in its place.
    """
    alike: defaultdict[tuple[Encoding, SignalKind], list[int]] = defaultdict(list)
    for place, request in enumerate(requests):
        alike[request.encoding, request.kind].append(place)
    outcomes: list[list[Signal] | Malformed] = [[]] * len(requests)
    for (encoding, kind), places in alike.items():
        bodies = [requests[place].body for place in places]
        for place, outcome in zip(places, _DECODERS[encoding](kind, bodies), strict=True):
            outcomes[place] = outcome
    return outcomes


def decode(request: ExportRequest) -> list[Signal]:
    """Return the signals of one request.

    Raises:
        Malformed: the body is not what its content type and path say.
    """
    (outcome,) = decode_all([request])
    if isinstance(outcome, list):
        return outcome
    raise outcome
