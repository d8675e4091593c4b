"""Forms: what is sent is read in one way, which checks that a page of ours sent it."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from codometer.access.permissions import Permission
from codometer.errors import BadRequest, TooLarge, UnsupportedEncoding
from codometer.serve.http import check_texts, read_content
from codometer.serve.web.visitor import Visitor

Fields = Mapping[str, str]
Obey = Callable[[Request, Fields], Coroutine[Any, Any, Response]]
"""Does what a form says."""

TOKEN: Final = "form_token"  # noqa: S105 - the name of a field
_MAX_FORM_BYTES: Final = 8 * 2**10
_MAX_FIELDS: Final = 32
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is sent to be saved, not shown."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown once, as the answer itself: no address leads to it again."""

    template: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Something that can be done on a page, by POST to `path`, for who has the permission.

    `act` runs in a thread and returns the address to go to, a file, or what is shown once.
    What it raises as a CodometerError is shown on the page, with the fields as they were sent.
    `is_export` is for a whole copy of something, which few need often.
    """

    path: str
    permission: Permission
    act: Callable[[Visitor, Fields], str | File | Shown]
    is_export: bool = False


async def read_form(request: Request) -> Fields:
    """Return the fields of a form; of those that are sent twice, the first.

    Raises:
        UnsupportedEncoding: it is no form.
        TooLarge: it has too many bytes or fields.
        TooSlow: it did not arrive in time.
        NoText: a field has a character that is none.
        FormTooOld: no page of ours holds it.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise UnsupportedEncoding("the body is no form", hint=f"send {_FORM_TYPE}")
    content = await read_content(request, _MAX_FORM_BYTES)
    try:
        fields = parse_qs(
            content.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        raise TooLarge("the form has too many fields") from None
    given = {name: values[0] for name, values in fields.items()}
    check_texts(*given.values())
    request.state.check_form(given.get(TOKEN, ""))  # the gate has left it there
    return given


def check_confirmed(typed: str, name: str, what: str) -> None:
    """Refuse what cannot be undone, unless what it is about was named once more.

    Raises:
        BadRequest: it was not.
    """
    if typed.strip() != name:
        raise BadRequest(
            "this was not confirmed", hint=f"write {name}, the {what}", field="confirm"
        )


def identify_form(path: str, fields: Fields) -> str:
    """Return a text that only the same form has, with the same in its fields.

    Its token is among them: a page that is opened twice holds two forms.
    """
    return sha256(json.dumps([path, fields]).encode()).hexdigest()
