from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.people.household import Household


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    opened = Household.open(tmp_path / "data")
    yield opened
    opened.close()
