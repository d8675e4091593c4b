from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.serve.installation import Browser, Installation


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Give a server to which nobody signs in yet."""
    made = Installation(tmp_path)
    yield made
    made.access.close()


@pytest.fixture
def root(installation: Installation) -> Browser:
    """Give the browser of its first administrator."""
    return installation.set_up()
