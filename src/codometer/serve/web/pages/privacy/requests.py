"""What people asked for of their own data: how long it waits, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from codometer.access.permissions import Permission
from codometer.people.queue import TARGET, Queue, count_overdue
from codometer.serve.web.forms import Fields, Form
from codometer.serve.web.page import Page, Panel
from codometer.serve.web.visitor import Visitor

_PATH: Final = "/privacy/requests"


def requests_page(queue: Queue) -> Page[Visitor]:
    """Return the page."""
    write = Permission.WRITE_PEOPLE
    return Page(
        path=_PATH,
        name="privacy",
        title="What people asked for",
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


def _build_waiting(queue: Queue, visitor: Visitor) -> Mapping[str, object]:
    waiting = queue.list_open()
    overdue = count_overdue(waiting, visitor.now)
    return {"waiting": waiting, "overdue": overdue, "target": TARGET.days}


def _do(queue: Queue, visitor: Visitor, fields: Fields) -> str:
    queue.do(fields.get("request", ""), fields.get("reason", ""), visitor.actor)
    return _PATH


def _decline(queue: Queue, visitor: Visitor, fields: Fields) -> str:
    queue.decline(fields.get("request", ""), fields.get("reason", ""), visitor.actor)
    return _PATH
