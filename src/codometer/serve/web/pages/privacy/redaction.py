"""A box to try redaction in: a text goes in, and what would be stored of it comes out.

Nothing of it is stored or logged, and no address leads to it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from codometer.access.permissions import Permission
from codometer.errors import BadRequest, TooLarge
from codometer.privacy.redaction import count_marks
from codometer.serve.web.forms import Fields, Form, Shown
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.visitor import Visitor

_PATH: Final = "/privacy/redaction"
MOST_CHARACTERS: Final = 2_000
"""What fits into a form, also where each of its characters is written as three."""


def redaction_page(redact: Callable[[str], str]) -> Page[Visitor]:
    """Return the page."""
    return Page(
        path=_PATH,
        name="privacy",
        title="Try redaction",
        tab="Redaction",
        template="redaction/page.html",
        group=None,
        permission=Permission.READ_SETTINGS,
        panels=(
            Panel(
                name="box",
                title="A text to try",
                template="redaction/box.html",
                build=_build_box,
                classes="c12",
            ),
        ),
        forms=(Form(path=_PATH, permission=Permission.READ_SETTINGS, act=partial(_try, redact)),),
    )


def _build_box(_: Visitor) -> Mapping[str, object]:
    return {"most": MOST_CHARACTERS}


def _try(redact: Callable[[str], str], _: Visitor, fields: Fields) -> Shown:
    text = fields.get("text", "")
    if not text.strip():
        raise BadRequest("there is no text", hint="paste one that is like what clients send")
    if len(text) > MOST_CHARACTERS:
        raise TooLarge(f"the text is longer than {MOST_CHARACTERS} characters")
    try:
        redacted = redact(text)
    except Exception:  # noqa: BLE001 - an error, or its traceback, may show what it was about
        redacted = None
    found = sorted(count_marks(redacted or "").items())
    return Shown(
        template="redaction/result.html",
        values={"redacted": redacted, "found": found, "most": MOST_CHARACTERS},
    )
