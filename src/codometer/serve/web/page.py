"""What a page is: panels, each built on its own, so that one that fails fails alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from codometer.access.permissions import Permission
from codometer.serve.web.forms import Form

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel(Generic[T]):
    """A part of a page that is built, fails and is updated by itself.

    `template` is what stands inside the panel's section; it gets the values that `build`
    returns, `panel`, and what it was built from: `view` or `visitor`. `build` runs in a
    thread and may block or raise: a fault shows under `title`, and the other panels stay.
    `classes` are those of the section, such as its width in the sheet (`c8`); the section
    is there in every state. A panel `is_shared` where it shows nothing but the sums: it is built
    once for all readers who see the same, and again when the sums change.
    """

    name: str
    title: str
    template: str
    build: Callable[[T], Mapping[str, object]]
    classes: str = ""
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page at a path, of a View (numbers of a period) or of a Visitor (what is so).

    `template` extends `page.html` or `record.html` and places the panels with
    `{{ show("name") }}`. `name` is what it is marked as in the navigation, `title` what it
    is called there, in a `group`; None leaves it out. Pages of one name with a `tab` lead to
    each other by that; what is below such a page is part of it. `permission` is what its
    reader must have; one that `is_own` is shown to who has an account. `forms` are what can
    be done.
    """

    path: str
    name: str
    title: str
    template: str
    panels: tuple[Panel[T], ...]
    group: str | None = ""
    tab: str = ""
    permission: Permission = Permission.READ_NUMBERS
    is_own: bool = False
    forms: tuple[Form, ...] = ()
