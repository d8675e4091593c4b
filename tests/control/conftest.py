"""The control plane's databases: the same tests on each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from codometer.store.control import Control
from tests.postgresql import Postgresql, running_postgresql

Open = Callable[[], Control]

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    with running_postgresql() as started:
        yield started


@pytest.fixture(params=ENGINES)
def open_control(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Give a way to open one and the same database, as servers that share it do."""
    database = ""
    if request.param == "postgresql":
        database = request.getfixturevalue("postgresql").create_database()
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Control(tmp_path, database)))


@pytest.fixture
def control(open_control: Open) -> Control:
    return open_control()
