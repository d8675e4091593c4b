"""OTLP bodies to signals, whichever way they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codometer.intake.receivers import otlp_json, otlp_protobuf
from codometer.intake.receivers.export import Encoding

if TYPE_CHECKING:
    from codometer.intake.receivers.export import ExportRequest
    from codometer.model.signal import Signal

_DECODERS: Final = {Encoding.PROTOBUF: otlp_protobuf.decode, Encoding.JSON: otlp_json.decode}


def decode(request: ExportRequest) -> list[Signal]:
    """Return the signals of a request, in the order they stand there.

    Raises:
        Malformed: the body is not what its content type and path say.
    """
    return _DECODERS[request.encoding](request.kind, request.body)
