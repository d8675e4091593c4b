"""Overview and the first run, in a real browser: whole, readable and operable everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.fleet import Served
from tests.browser.visit import THEMES, Theme, find_barriers, text_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

Open = Callable[..., "Page"]

WIDTHS = (1440, 390, 320)


@pytest.fixture(params=["full", "empty"])
def served(request: pytest.FixtureRequest) -> Served:
    """Give the server of either state."""
    found: Served = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_a_page_fits_and_keeps_nobody_out(
    open_page: Open, served: Served, theme: Theme, width: int
) -> None:
    page = open_page(served.url, theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert find_barriers(page) == []
    assert page.get_by_label("Failed").count() == 0
    assert "Local mode" in page.locator("body").inner_text()
    assert page.locator("h1").count() == 1
    assert "Times in Europe/Berlin" in text_of(page, ".head")


@pytest.mark.parametrize("theme", THEMES)
def test_menus_keep_nobody_out_when_they_are_open(
    open_page: Open, full: Served, theme: Theme
) -> None:
    page = open_page(full.url, theme=theme, width=390)
    for menu in page.locator(".menu:visible").all():
        menu.locator("summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert find_barriers(page) == []


def test_zoomed_text_does_not_push_the_page_sideways(open_page: Open, served: Served) -> None:
    page = open_page(served.url, width=640)
    page.evaluate("document.documentElement.style.zoom = 2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_the_theme_is_the_systems_until_the_reader_chooses(open_page: Open, served: Served) -> None:
    page = open_page(served.url, theme="dark")
    assert canvas_of(page) == "rgb(14, 16, 17)"
    page.locator(".side [data-act=theme]").click()
    assert canvas_of(page) == "rgb(245, 246, 245)"
    page.reload()
    assert canvas_of(page) == "rgb(245, 246, 245)"
    page.locator(".side [data-act=theme]").click()
    assert canvas_of(page) == "rgb(14, 16, 17)"
    assert page.evaluate("localStorage.getItem('theme')") is None  # the system's again


def test_a_keyboard_reaches_everything_in_order(open_page: Open, full: Served) -> None:
    page = open_page(full.url)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index] # it is shown
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached: list[str] = []
    while "Custom" not in reached and len(reached) < 12:
        page.keyboard.press("Tab")
        reached.append(focused(page))
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(ring) == "solid", f"no ring around {reached[-1]}"
    wanted = ["show UTC", "All teams", "7 d", "28 d", "90 d", "Custom"]
    assert [name for name in reached if name in wanted] == wanted


def test_a_menu_opens_and_closes_by_keys(open_page: Open, full: Served) -> None:
    page = open_page(full.url)
    summary = page.locator(".seg summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("input[name=from]").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert not page.locator("input[name=from]").is_visible()
    assert focused(page) == "Custom"


def test_a_chart_is_read_by_pointer(open_page: Open, full: Served) -> None:
    page = open_page(full.url)
    chart = page.locator(".chart[data-mode=band]").first
    days = [row.locator("th").text_content() for row in chart.locator("tbody tr").all()]
    plot = chart.locator(".pl")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    for at in (0, len(days) // 2, len(days) - 1):
        page.mouse.move(box["x"] + box["width"] * (at + 0.5) / len(days), box["y"] + 20)
        assert page.locator(".tip b").inner_text() == days[at]
    page.mouse.move(5, 5)
    assert not page.locator(".tip").is_visible()


def test_a_chart_is_read_by_arrow_keys(open_page: Open, full: Served) -> None:
    page = open_page(full.url)
    chart = page.locator(".chart[data-mode=band]").first
    days = [row.locator("th").text_content() for row in chart.locator("tbody tr").all()]
    chart.locator(".pl").focus()
    said = []
    for key in ("ArrowRight", "ArrowRight", "End", "ArrowLeft", "Home"):
        page.keyboard.press(key)
        said.append(page.locator(".tip b").text_content())
    assert said == [days[0], days[1], days[-1], days[-2], days[0]]
    assert page.locator(".tip").get_attribute("role") == "status"
    page.keyboard.press("Escape")
    assert not page.locator(".tip").is_visible()


def test_a_grid_is_read_in_both_directions(open_page: Open, full: Served) -> None:
    page = open_page(full.url)
    chart = page.locator(".chart[data-mode=cells]").first
    chart.locator(".pl").focus()
    said = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "End"):
        page.keyboard.press(key)
        said.append(page.locator(".tip b").text_content())
    rows = [cell.text_content() for cell in chart.locator("tbody th").all()]
    columns = [cell.text_content() for cell in chart.locator("thead th").all()][1:]
    places = ((0, 0), (0, 1), (1, 1), (-1, -1))
    assert said == [f"{rows[row]} {columns[column]}" for row, column in places]


def test_without_script_the_page_is_complete(open_page: Open, served: Served) -> None:
    page = open_page(served.url, script=False)
    scripted = open_page(served.url)
    for selector in ("h1", "h2", ".chart tbody tr", ".sheet > *", "[data-panel]", ".seg > *"):
        assert page.locator(selector).count() == scripted.locator(selector).count()
    assert page.locator("[data-act]:visible").count() == 0
    assert scripted.locator("[data-act]:visible").count() >= 1


def test_without_script_menus_and_ranges_work(open_page: Open, full: Served) -> None:
    page = open_page(full.url, script=False, width=390)
    page.locator(".mob summary").click()
    assert page.locator(".mob nav a").first.is_visible()
    page.get_by_role("link", name="7 days", exact=True).click()
    assert page.url == f"{full.url}/?range=7d"
    page.locator(".seg summary").click()
    page.locator("input[name=from]").fill("2026-11-02")
    page.locator("input[name=to]").fill("2026-11-08")
    page.get_by_role("button", name="Show these days").click()
    assert page.url == f"{full.url}/?from=2026-11-02&to=2026-11-08"
    assert text_of(page, ".head").startswith("Overview 2 to 8 Nov 2026, compared with")


def test_a_filter_is_an_address_that_leads_back_to_the_same_page(
    open_page: Open, full: Served
) -> None:
    page = open_page(full.url)
    page.locator("summary.sel").click()
    team = page.locator(".tools ul.pop a").nth(1).inner_text()
    page.locator(".tools ul.pop a").nth(1).click()
    assert text_of(page, "summary.sel") == team
    page.get_by_role("link", name="90 days").click()
    page.get_by_role("link", name="show UTC").click()
    other = open_page(page.url)
    for selector in (".head h1", ".head > div:first-child p", ".sel", ".seg [aria-current]"):
        assert text_of(other, selector) == text_of(page, selector)
    page.go_back()
    page.go_back()
    assert text_of(page, ".seg [aria-current]") == "28 d"
    page.go_back()
    assert text_of(page, "summary.sel") == "All teams"
    assert page.url == f"{full.url}/"


def test_readers_elsewhere_are_offered_their_own_clock(open_page: Open, full: Served) -> None:
    page = open_page(full.url, zone="America/New_York")
    page.get_by_role("link", name="Show America/New_York").click()
    assert page.url == f"{full.url}/?tz=America%2FNew_York"
    assert "Times in America/New_York, days in Europe/Berlin" in text_of(page, ".head")


def test_the_command_is_copied(open_page: Open, empty: Served) -> None:
    page = open_page(empty.url)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("export CLAUDE_CODE_ENABLE_TELEMETRY=1\nexport ")
    assert copied.endswith('\nclaude -p "Say hello"')
    assert (
        f"\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{empty.listen.otlp_port}\n"
        in copied
    )


def test_on_paper_a_page_is_light_and_has_only_what_can_be_read(
    open_page: Open, full: Served
) -> None:
    page = open_page(full.url, theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert canvas_of(page) == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == (
        "rgb(20, 25, 27)"
    )
    for selector in (".side", ".mob", ".head .tools", ".chart details"):
        assert page.locator(selector).first.is_hidden()
    assert page.locator("h1").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_in_forced_colours_the_data_keep_theirs(open_page: Open, full: Served) -> None:
    page = open_page(full.url)
    before = page.evaluate(_FILL)
    page.emulate_media(forced_colors="active")
    assert page.evaluate(_FILL) == before
    assert find_barriers(page) == []


def test_an_error_has_the_frame_and_keeps_nobody_out(open_page: Open, full: Served) -> None:
    for path, title, status in (
        ("/nowhere", "There is no such page", "404"),
        ("/?range=30d", "This address cannot be shown", "400"),
    ):
        page = open_page(f"{full.url}{path}", faults=(f"status of {status}",))
        assert text_of(page, "h1") == title
        assert find_barriers(page) == []
        page.get_by_role("link", name="Go to Overview").click()
        assert text_of(page, "h1") == "Overview"


_FILL = "getComputedStyle(document.querySelector('.bars rect')).fill"


def canvas_of(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def focused(page: Page) -> str:
    name: str = page.evaluate("document.activeElement.innerText")
    return name.strip()
