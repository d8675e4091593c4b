"""`/healthz` and `/readyz`, for whoever watches over the process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from codometer.access.permissions import Permission
from codometer.errors import CodometerError
from codometer.serve.api.resource import Resource
from codometer.serve.http import NotReady

_log: Final = logging.getLogger(__name__)


def liveness_resource() -> Resource:
    """Return the resource that answers as long as the process can."""
    return Resource(
        path="/healthz",
        name="healthz",
        summary="Is the process alive?",
        permission=Permission.PUBLIC,
        answer=lambda _: {"status": "ok"},
        blocks=False,
        schema=_schema("ok"),
        example={"status": "ok"},
    )


def readiness_resource(check_ready: Callable[[], object]) -> Resource:
    """Return the resource that answers 503 as long as `check_ready` raises anything."""

    def answer(_: object) -> dict[str, str]:
        try:
            check_ready()
        except CodometerError as error:
            raise NotReady(error.message, hint=error.hint) from error
        except Exception as error:
            _log.exception("the readiness check failed")
            raise NotReady("the store does not answer", hint="see the server's log") from error
        return {"status": "ready"}

    return Resource(
        path="/readyz",
        name="readyz",
        summary="Can the server answer questions, its store included?",
        permission=Permission.PUBLIC,
        answer=answer,
        schema=_schema("ready"),
        example={"status": "ready"},
        errors={503: "not yet, or no more"},
    )


def _schema(word: str) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {"status": {"type": "string", "const": word}},
        "required": ["status"],
    }
