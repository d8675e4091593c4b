"""The pages, in the order of the navigation."""

from codometer.serve.api.status import StatusSource
from codometer.serve.web.page import Page
from codometer.serve.web.pages.overview import overview_page


def build_pages(status: StatusSource) -> tuple[Page, ...]:
    """Return every page; `status` tells what arrived and what was refused."""
    return (overview_page(status),)
