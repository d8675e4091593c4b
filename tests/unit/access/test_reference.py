"""The page about access is that of the code."""

from pathlib import Path

from codometer.access.actions import ACTIONS, Action
from codometer.access.permissions import PERMISSIONS, Permission
from codometer.access.reference import write_page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "access.md"


def test_the_page_about_access_is_current() -> None:
    assert PAGE.read_text() == write_page(), "run make docs"


def test_every_permission_and_every_action_says_what_it_is() -> None:
    assert set(PERMISSIONS) == set(Permission)
    assert set(ACTIONS) == set(Action)
