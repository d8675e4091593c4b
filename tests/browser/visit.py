"""A visit to a page, which must go without complaint from the browser."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped] # no stubs, no py.typed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

Theme = Literal["light", "dark"]

THEMES: Final[tuple[Theme, ...]] = ("light", "dark")
PATIENCE_SECONDS: Final = 20.0
_POLL_MS: Final = 20
_TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


_LATE_TRANSITION: Final = "Transition was aborted because of invalid state"
"""Chromium says so where a busy machine shows a page before its transition could begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How a page is looked at. `faults` are texts that the console may say."""

    width: int = 1440
    height: int = 900
    theme: Theme = "light"
    script: bool = True
    zone: str = "Europe/Berlin"
    faults: tuple[str, ...] = ()


def launch(playwright: Playwright) -> Browser:
    """Start the system's own Chromium, with nothing to say to its makers."""
    # As root, as CI often is, its own sandbox cannot be set up.
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox"]
    )


@contextmanager
def visit(browser: Browser, url: str, how: Visit) -> Iterator[Page]:
    """Open a page; at the end nothing was on the console, and no other host was asked."""
    context = browser.new_context(
        viewport={"width": how.width, "height": how.height},
        color_scheme=how.theme,
        java_script_enabled=how.script,
        timezone_id=how.zone,
    )
    page = context.new_page()
    faults: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    try:
        page.goto(url, wait_until="load")
        yield page
        passed = (*how.faults, _LATE_TRANSITION)
        faults = [fault for fault in faults if not any(text in fault for text in passed)]
        assert faults == [], faults
        assert hosts <= {urlsplit(url).netloc}
    finally:
        context.close()


def find_barriers(page: Page) -> list[str]:
    """Return what axe-core finds that keeps people from using the page."""
    page.evaluate(AXE_SCRIPT)
    options = {"runOnly": {"type": "tag", "values": list(_TAGS)}, "resultTypes": ["violations"]}
    results: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in results["violations"]
        for node in violation["nodes"]
    ]


def wait_until(
    page: Page, condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS
) -> float:
    """Wait until a condition holds; return after how many seconds it did.

    Conditions are asked from outside: what waits inside the page uses eval, which the
    policy of our pages forbids.
    """
    began = time.monotonic()
    while not condition():
        passed = time.monotonic() - began
        assert passed < seconds, "it took too long"
        page.wait_for_timeout(_POLL_MS)
    return time.monotonic() - began


def text_of(page: Page, selector: str) -> str:
    """Return the text of the first element, with single spaces."""
    return " ".join(page.locator(selector).first.inner_text().split())


_CONTROLS: Final = (
    'a[href], button, input:not([type="hidden"]), select, textarea, summary, [tabindex="0"]'
)
_RING_PIXELS: Final = 2
_FOCUSED: Final = """() => {
  const focused = document.activeElement, style = getComputedStyle(focused);
  return [window.controls.indexOf(focused), style.outlineStyle, parseFloat(style.outlineWidth)];
}"""


def find_unreached(page: Page) -> list[str]:
    """Return what the Tab key does not reach in order, or does not show that it has reached."""
    names: list[str] = page.evaluate(
        """selector => {
          window.controls = [...document.querySelectorAll(selector)].filter(
            each => each.checkVisibility() && !each.disabled && each.tabIndex >= 0);
          window.controls[0].focus();
          return window.controls.map(each => each.outerHTML.slice(0, 120));
        }""",
        _CONTROLS,
    )
    reached, faults = [0], []
    while reached[-1] < len(names) - 1:
        page.keyboard.press("Tab")
        index, style, width = page.evaluate(_FOCUSED)
        if index < reached[-1]:
            break
        # Inside a date there are parts of the browser's own, which it marks by itself.
        if index != reached[-1] and (style, width >= _RING_PIXELS) != ("solid", True):
            faults.append(f"no ring: {names[index]}")
        reached.append(index)
    return [*faults, *(name for index, name in enumerate(names) if index not in reached)]
