"""All pages of access."""

from __future__ import annotations

from codometer.access.access import Access
from codometer.serve.web.page import Page
from codometer.serve.web.pages.access.accounts import account_page, accounts_page
from codometer.serve.web.pages.access.acts import act_page
from codometer.serve.web.pages.access.credentials import credential_page, credentials_page
from codometer.serve.web.pages.access.granting import change_page, invite_page
from codometer.serve.web.pages.access.making import new_page, revoke_page, rotate_page
from codometer.serve.web.pages.access.sources import AccessSources
from codometer.serve.web.visitor import Visitor
from codometer.settings import Settings


def access_pages(access: Access, settings: Settings) -> tuple[Page[Visitor], ...]:
    """Return them."""
    sources = AccessSources(access=access, settings=settings)
    builders = (
        accounts_page,
        invite_page,
        account_page,
        change_page,
        act_page,
        credentials_page,
        new_page,
        credential_page,
        rotate_page,
        revoke_page,
    )
    return tuple(build(sources) for build in builders)
