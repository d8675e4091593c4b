"""A box to try redaction in: a text goes in, and what would be stored of it comes out.

Nothing of it is stored or logged, and no address leads to it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from codometer.access.permissions import Permission
from codometer.errors import BadRequest, TooLarge
from codometer.privacy.redaction import count_marks
from codometer.privacy.redaction.patterns import SECRETS
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
                classes="c7",
            ),
            Panel(
                name="rules",
                title="What is cut out",
                template="redaction/rules.html",
                build=lambda _: dict(_RULES),
                classes="c5",
            ),
        ),
        forms=(Form(path=_PATH, permission=Permission.READ_SETTINGS, act=partial(_try, redact)),),
    )


def _build_box(visitor: Visitor) -> Mapping[str, object]:
    return {"most": MOST_CHARACTERS, "text": visitor.sent.get("text", "")}


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
    marks = count_marks(redacted or "").items()
    found = sorted((name_kind(kind), count) for kind, count in marks)
    values = {"redacted": redacted, "found": found, "text": text, "most": MOST_CHARACTERS}
    return Shown(template="redaction/result.html", values={**values, **_RULES})


def name_kind(kind: str) -> str:
    """Return what to call what a pattern finds: most are the key of a maker."""
    return _NAMES.get(kind) or f"{kind.replace('-', ' ').capitalize()} key"


_NAMES: Final[Mapping[str, str]] = {
    "authorization": "authorization header",
    "aws": "AWS key",
    "aws-bedrock": "AWS Bedrock key",
    "card": "payment card",
    "email": "e-mail address",
    "github": "GitHub token",
    "github-pat": "GitHub token",
    "gitlab": "GitLab token",
    "gitlab-runner": "GitLab token",
    "huggingface": "Hugging Face token",
    "iban": "bank account",
    "ip": "IP address",
    "jwt": "signed token (JWT)",
    "mac": "hardware address",
    "npm": "npm token",
    "openai": "OpenAI key",
    "password": "password",
    "phone": "telephone number",
    "private-key": "private key",
    "pypi": "PyPI token",
    "random": "random text",
    "token": "token",
    "url": "password in an address",
    "user": "name in a path",
}
_RULES: Final[Mapping[str, Sequence[str]]] = {
    "secrets": sorted(
        {name_kind(each.kind) for each in SECRETS} | {"private key", "random text"},
        key=str.casefold,
    ),
    "personal": sorted(map(name_kind, ("card", "email", "iban", "ip", "mac", "phone", "user"))),
}
