"""What is kept of a visit to a provider of identities, what it tells, and how it fails.

Apart from `openid`, whose libraries take memory that only servers with a provider should pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codometer.errors import CodometerError, Forbidden

if TYPE_CHECKING:
    from datetime import datetime

    from codometer.access.accounts import Vouched


class ProviderRefused(Forbidden):
    """The provider did not let somebody in, or what it said is not to be believed."""

    code = "provider_refused"


class ProviderFailed(CodometerError):
    """The provider does not answer as its specification says."""

    code = "provider_failed"
    status = 502


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What `finish` must be given again. Whoever has all of it could take part in this sign-in."""

    state: str
    nonce: str
    verifier: str
    is_proof: str
    """"yes" where somebody must show anew that it is them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a provider tells of somebody. `proved` is when they showed it who they are."""

    vouched: Vouched
    name: str
    groups: frozenset[str]
    proved: datetime | None
