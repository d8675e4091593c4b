"""An installation that other machines may reach: somebody has an account, and clients can prove
themselves."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from codometer.access.access import Access
from codometer.access.actor import SYSTEM
from codometer.access.credential import Wanted
from codometer.access.secret import Kind
from codometer.settings import Settings

LOGIN: Final = "root"
PASSWORD: Final = "marble kettle orbit fern"  # noqa: S105 - of a test


def install(data: Path) -> None:
    """Make a data folder with an administrator and a credential for ingest."""
    data.mkdir(parents=True)
    with closing(Access(replace(Settings(), data=data))) as access:
        first = access.accounts.invite_first()
        assert first is not None
        access.accounts.join(first.secret, LOGIN, PASSWORD, SYSTEM)
        access.credentials.create(Wanted(kind=Kind.INGEST, name="laptops"), SYSTEM)
