"""The page about the tables is that of the tables."""

from pathlib import Path

from codometer.store.reference import write_page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "tables.md"


def test_the_page_of_the_tables_is_current() -> None:
    assert PAGE.read_text() == write_page(), "run make docs"
