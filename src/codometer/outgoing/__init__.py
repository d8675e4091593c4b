"""The one way out: an HTTP client that goes where the administrator lets it, and never inside."""

from codometer.outgoing.client import OutgoingFailed, outgoing_client
from codometer.outgoing.rules import OutgoingRefused, Rules

__all__ = ["OutgoingFailed", "OutgoingRefused", "Rules", "outgoing_client"]
