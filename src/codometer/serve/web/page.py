"""What a page is: panels, each built on its own, so that one that fails fails alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codometer.access.permissions import Permission
from codometer.serve.web.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a page that is built, fails and is updated by itself.

    `template` is what stands inside the panel's section; it gets the values that `build`
    returns, `panel` and `view`. `build` runs in a thread and may block or raise: a fault
    shows under `title`, and the other panels stay. `classes` are those of the section,
    such as its width in the sheet (`c8`); the section is there in every state. A panel
    `is_shared` where it shows nothing but the sums: it is built once for all readers who see
    the same, and again when the sums change.
    """

    name: str
    title: str
    template: str
    build: Callable[[View], Mapping[str, object]]
    classes: str = ""
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page at a path.

    `template` extends `page.html` and places the panels with `{{ show("name") }}`. `name`
    and `group` are its place in the navigation; `title` is what it is called there.
    `permission` is what its reader must have.
    """

    path: str
    name: str
    title: str
    template: str
    panels: tuple[Panel, ...]
    group: str = ""
    permission: Permission = Permission.READ_NUMBERS
