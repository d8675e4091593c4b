"""Makes the pictures in docs/images: Overview of a simulated fleet, in both themes.

python -m tests.browser.screenshots
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from codometer.operate.demo import demo_scenario, load_history
from tests.browser.fleet import Served, serve
from tests.browser.visit import THEMES, Theme, Visit, launch, visit

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
PEOPLE: Final = 60
DAYS: Final = 100
WIDTH: Final = 1440
MAX_BYTES: Final = 300_000
PATIENCE_SECONDS: Final = 600.0


def main() -> None:
    """Run as a command."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="codometer-pictures-") as folder,
        serve(Path(folder)) as served,
        sync_playwright() as playwright,
    ):
        _load(served)
        browser = launch(playwright)
        for theme in THEMES:
            _shoot(browser, served.url, theme)
        browser.close()


def _load(served: Served) -> None:
    """Let the demo's fleet have reported."""
    now = datetime.now(UTC)
    scenario = demo_scenario(people=PEOPLE, days=DAYS, seed=1, today=now.date())

    def progress(done: int, count: int) -> None:
        sys.stderr.write(f"\rSimulating {PEOPLE} people, day {done} of {count}")

    history = load_history(scenario, served.accept, now, progress=progress)
    served.run(history, seconds=PATIENCE_SECONDS)
    served.server.store.roll_up()
    sys.stderr.write("\n")


def _shoot(browser: Browser, url: str, theme: Theme) -> None:
    path = IMAGES / f"overview-{theme}.png"
    with visit(browser, url, Visit(theme=theme, width=WIDTH)) as page:
        # As tall as the page, so that what sticks to the window's edges is at those of the picture.
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": WIDTH, "height": height})
        path.write_bytes(page.screenshot())
    size = path.stat().st_size
    if size > MAX_BYTES:
        sys.exit(f"{path} has {size:,} bytes, more than {MAX_BYTES:,}")
    sys.stderr.write(f"{path}, {size:,} bytes\n")


if __name__ == "__main__":
    main()
