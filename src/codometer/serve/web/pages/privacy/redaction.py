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
    return _NAMES.get(kind) or f"{_name_maker(kind)} key"


def _name_maker(kind: str) -> str:
    return _MAKERS.get(kind) or kind.replace("-", " ").capitalize()


_NAMES: Final[Mapping[str, str]] = {
    "authorization": "authorization header",
    "card": "payment card",
    "email": "e-mail address",
    "iban": "bank account",
    "ip": "IP address",
    "jwt": "signed token (JWT)",
    "mac": "hardware address",
    "password": "password",
    "phone": "telephone number",
    "private-key": "private key",
    "random": "random text",
    "token": "token",
    "url": "password in an address",
    "user": "name in a path",
}
_MAKERS: Final[Mapping[str, str]] = {
    "age": "age",
    "aws": "AWS",
    "aws-bedrock": "AWS",
    "azure-key": "Azure",
    "digitalocean": "DigitalOcean",
    "discord-hook": "Discord",
    "easypost": "EasyPost",
    "fly": "Fly.io",
    "github": "GitHub",
    "github-pat": "GitHub",
    "gitlab": "GitLab",
    "gitlab-runner": "GitLab",
    "google-oauth": "Google",
    "huggingface": "Hugging Face",
    "launchdarkly": "LaunchDarkly",
    "model-provider": "another model provider",
    "new-relic": "New Relic",
    "npm": "npm",
    "openai": "OpenAI",
    "planetscale": "PlanetScale",
    "pypi": "PyPI",
    "registry": "a package registry",
    "sendgrid": "SendGrid",
    "slack-hook": "Slack",
}
_PERSONAL: Final = ("email", "phone", "iban", "card", "ip", "mac", "user")
_KINDS: Final = {each.kind for each in SECRETS} | {"private-key", "random"}
_RULES: Final[Mapping[str, Sequence[str]]] = {
    "makers": sorted(set(map(_name_maker, _KINDS - _NAMES.keys())), key=str.casefold),
    "secrets": sorted(map(name_kind, _KINDS & _NAMES.keys())),
    "personal": [*map(name_kind, _PERSONAL)],
}
