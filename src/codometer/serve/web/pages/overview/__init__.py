"""Overview: what is spent, whether use grows and works, and what to look at first.

Each panel is a module: it asks, and makes what its template shows.
"""

from codometer.serve.web.pages.overview.page import overview_page

__all__ = ["overview_page"]
