"""The pages, in the order of the navigation."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_bytes

from codometer.access.access import Access
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.run import Answer
from codometer.people.own import OwnData
from codometer.people.queue import Queue
from codometer.people.requests import Requests
from codometer.people.retention import Retention
from codometer.people.reveals import Reveals
from codometer.privacy.redaction import Redactor
from codometer.serve.api.status import StatusSource
from codometer.serve.web.page import Page
from codometer.serve.web.pages.access import access_pages
from codometer.serve.web.pages.audit import audit_page
from codometer.serve.web.pages.overview import overview_page
from codometer.serve.web.pages.own import own_page
from codometer.serve.web.pages.privacy import (
    PrivacySources,
    privacy_pages,
    redaction_page,
    requests_pages,
    retention_page,
)
from codometer.serve.web.pages.reveals import reveals_page
from codometer.serve.web.view import View
from codometer.serve.web.visitor import Visitor
from codometer.settings import Settings


def build_pages(status: StatusSource) -> tuple[Page[View], ...]:
    """Return every page of numbers; `status` tells what arrived and what was refused."""
    return (overview_page(status),)


def build_records(
    access: Access,
    retention: Retention,
    settings: Settings,
    *,
    status: StatusSource,
    ask: Callable[[Query], Answer],
    minimum_people: Callable[[], int],
) -> tuple[Page[Visitor], ...]:
    """Return every page that shows no period; `ask` and `minimum_people` as `build_app` has."""
    people = retention.people
    privacy = PrivacySources(
        decisions=people.decisions,
        settings=settings,
        minimum_people=minimum_people,
        list_waiting=Queue(Requests(people)).list_open,
        sent_content=status.read_sent_content,
    )
    # With a key of its own: marks that are stored could be compared with those of a guess.
    trial = Redactor(token_bytes(32))
    return (
        own_page(OwnData(Requests(people)), people.decisions, ask),
        *privacy_pages(privacy),
        *requests_pages(Queue(Requests(people))),
        retention_page(retention),
        reveals_page(people, Reveals(people), access.vouching),
        redaction_page(trial.redact),
        *access_pages(access, settings),
        audit_page(access.audit, access.accounts),
    )
