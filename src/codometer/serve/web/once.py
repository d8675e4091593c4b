"""A form that is sent twice is obeyed once: a double click, or a page that is loaded again.

Who sends it again is answered as the first time, for a minute; else whoever clicks twice would
never see the secret that the first click made. All is in memory alone: a restart forgets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.responses import Response

from codometer.errors import CodometerError

SHOWN_AGAIN: Final = timedelta(minutes=1)
_MOST: Final = 4_096
_FAILED: Final = 400


class DoneAlready(CodometerError):
    """A form that was sent before, and obeyed then."""

    code = "done_already"
    status = 409


@dataclass(slots=True)
class _Sent:
    """A form that is obeyed, or was. `answer` is None where it is not to be shown again."""

    at: datetime
    answer: asyncio.Task[Response] | None

    @property
    def is_running(self) -> bool:
        """Whether it is being obeyed."""
        return self.answer is not None and not self.answer.done()


class Once:
    """Remembers the last forms that were obeyed. To be used in the event loop alone."""

    def __init__(self, now: Callable[[], datetime], *, most: int = _MOST) -> None:
        self._now = now
        self._most = most
        self._sent: dict[str, _Sent] = {}

    async def answer(
        self, form: str, obey: Callable[[], Coroutine[Any, Any, Response]]
    ) -> Response:
        """Return what `obey` answers to a form, which goes on though whoever sent it leaves.

        What fails is not remembered, so it can be tried again.

        Raises:
            DoneAlready: it was obeyed more than a minute ago.
        """
        self._forget()
        sent = self._sent.get(form)
        if sent is None:
            task = asyncio.create_task(obey())
            sent = self._sent[form] = _Sent(self._now(), task)
            task.add_done_callback(lambda done: self._settle(form, done))
            later = SHOWN_AGAIN.total_seconds()
            asyncio.get_running_loop().call_later(later, self._forget)
        if sent.answer is None:
            raise _done_already()
        return await asyncio.shield(sent.answer)

    def check_new(self, form: str) -> None:
        """Refuse a form that was obeyed, without an answer: for whoever may not have that now.

        Raises:
            DoneAlready: it was.
        """
        if form in self._sent:
            raise _done_already()

    def _settle(self, form: str, done: asyncio.Task[Response]) -> None:
        failed = done.cancelled() or done.exception() is not None
        if failed or done.result().status_code >= _FAILED:
            self._sent.pop(form, None)

    def _forget(self) -> None:
        """Let go of the answers that are old, and of the forms that are too many."""
        before = self._now() - SHOWN_AGAIN
        for sent in self._sent.values():
            if sent.at <= before and not sent.is_running:
                sent.answer = None
        over = len(self._sent) - self._most
        done = [form for form, sent in self._sent.items() if not sent.is_running]
        for form in done[: max(0, over)]:
            del self._sent[form]


def _done_already() -> DoneAlready:
    return DoneAlready(
        "this form was sent before, and what it asks for was done then",
        hint="load its page again to do it once more; a secret is shown once",
    )
