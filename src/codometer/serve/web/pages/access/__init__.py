"""Who may do what: roles, accounts and credentials."""

from codometer.serve.web.pages.access.pages import access_pages

__all__ = ["access_pages"]
