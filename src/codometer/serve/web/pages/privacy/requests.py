"""What people asked for of their own data: how long it waits, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from codometer.access.permissions import Permission
from codometer.errors import BadRequest
from codometer.people.queue import TARGET, Queue, Right, count_overdue
from codometer.serve.web.forms import Fields, Form, check_confirmed
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.visitor import Visitor

_PATH: Final = "/privacy/requests"
_ERASE: Final = "/privacy/requests/erase"


def requests_pages(queue: Queue) -> tuple[Page[Visitor], ...]:
    """Return the page of what waits, and the one on which an erasure is confirmed."""
    return (_waiting_page(queue), _erase_page(queue))


def _waiting_page(queue: Queue) -> Page[Visitor]:
    write = Permission.WRITE_PEOPLE
    return Page(
        path=_PATH,
        name="privacy",
        title="What people asked for",
        tab="Requests",
        template="requests/page.html",
        group=None,
        permission=Permission.READ_SETTINGS,
        panels=(
            Panel(
                name="waiting",
                title="What waits",
                template="requests/waiting.html",
                build=partial(_build_waiting, queue),
                classes="c12",
            ),
        ),
        forms=(
            Form(path=f"{_PATH}/do", permission=write, act=partial(_do, queue)),
            Form(path=f"{_PATH}/decline", permission=write, act=partial(_decline, queue)),
        ),
    )


def _erase_page(queue: Queue) -> Page[Visitor]:
    write = Permission.WRITE_PEOPLE
    return Page(
        path=_ERASE,
        name="privacy",
        title="Erase a person",
        template="requests/erase_page.html",
        group=None,
        permission=write,
        panels=(
            Panel(
                name="erase",
                title="What goes for good",
                template="requests/erase.html",
                build=partial(_build_erase, queue),
                classes="c12",
            ),
        ),
        forms=(Form(path=_ERASE, permission=write, act=partial(_erase, queue)),),
    )


def _build_waiting(queue: Queue, visitor: Visitor) -> Mapping[str, object]:
    waiting = queue.list_open()
    overdue = count_overdue(waiting, visitor.now)
    return {"waiting": waiting, "overdue": overdue, "target": TARGET.days}


def _build_erase(queue: Queue, visitor: Visitor) -> Mapping[str, object]:
    asked = queue.get(visitor.asked.get("request", ""))
    return {"asked": asked, "found": queue.preview(asked), "reason": visitor.sent.get("reason", "")}


def _do(queue: Queue, visitor: Visitor, fields: Fields) -> str:
    asked = queue.get(fields.get("request", ""))
    if asked.right is Right.ERASURE:
        raise BadRequest("an erasure is looked at first", hint="open what would go, and confirm it")
    queue.do(asked.id, fields.get("reason", ""), visitor.actor)
    return _PATH


def _erase(queue: Queue, visitor: Visitor, fields: Fields) -> str:
    asked = queue.get(fields.get("request", ""))
    person = queue.preview(asked).person
    check_confirmed(fields.get("confirm", ""), person, "pseudonym")
    queue.do(asked.id, fields.get("reason", ""), visitor.actor, confirmed=person)
    return _PATH


def _decline(queue: Queue, visitor: Visitor, fields: Fields) -> str:
    queue.decline(fields.get("request", ""), fields.get("reason", ""), visitor.actor)
    return _PATH
