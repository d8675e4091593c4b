"""The pages, in the order of the navigation."""

from typing import Final

from codometer.serve.web.page import Page
from codometer.serve.web.pages.overview import OVERVIEW

PAGES: Final[tuple[Page, ...]] = (OVERVIEW,)
