"""A real browser, and the servers that it visits: one that is full, one that waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.fleet import Served, make_history, serve
from tests.browser.office import Office
from tests.browser.visit import Visit, launch, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give the system's own Chromium."""
    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server to which a small fleet has reported for six weeks."""
    with serve(tmp_path_factory.mktemp("full")) as served:
        served.send(list(make_history(people=60, days=40, until=datetime.now(UTC))))
        served.server.store.roll_up()
        yield served


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server to which nobody has reported yet. A test must leave it so."""
    with serve(tmp_path_factory.mktemp("empty")) as served:
        yield served


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Give a server with accounts, of whom one is a person that the numbers are of."""
    with serve(tmp_path_factory.mktemp("office")) as served:
        yield Office.open(served)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a way to open pages: what goes wrong on any of them fails the test at its end."""
    with ExitStack() as stack:

        def open_one(url: str, **options: object) -> Page:
            return stack.enter_context(visit(browser, url, Visit(**options)))  # type: ignore[arg-type] # fields of Visit

        yield open_one
