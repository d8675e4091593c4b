"""The one thing every receiver does: hand an OTLP export to the pipeline.

Receivers speak protocols and know nothing of agents, prices or the store.
They are given an `Authenticate` to ask first and an `Accept` to call with a
decompressed body, and turn what these return or raise into their protocol's answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from codometer.model.signal import AttributeDefault, SignalKind


class Encoding(StrEnum):
    """How a body is written."""

    PROTOBUF = "protobuf"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """One OTLP export request, decompressed, not yet decoded.

    `defaults` are what the client's credential tells where the client itself does not.
    """

    kind: SignalKind
    encoding: Encoding
    body: bytes
    defaults: tuple[AttributeDefault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The export is durable, but for `rejected` of its signals, refused for good.

    `message` says why, and is empty when nothing was refused.
    """

    rejected: int = 0
    message: str = ""


class Authenticate(Protocol):
    """Decides whether a client may send. It must not block."""

    def __call__(
        self, authorization: str | None, kind: SignalKind, address: str, /
    ) -> tuple[AttributeDefault, ...]:
        """Return the defaults for the request.

        `authorization` is the header of that name, `address` the client's IP address.

        Raises:
            Unauthenticated: no credential, or none that is good.
            Forbidden: one that is good for something else, or from elsewhere.
            TooManyRequests: one with which too much comes; in a second there is room again.
        """


class Accept(Protocol):
    """Takes an export and returns once it is on disk."""

    async def __call__(self, request: ExportRequest) -> Accepted:
        """Store the export.

        Raises:
            Malformed: the body does not decode; do not send it again.
            Overloaded: no room now; send it again in a second or two.
        """
