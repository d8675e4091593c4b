"""What is no person: build machines and other services, told by what they call themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from codometer.model.identity import Identities


def find_services(patterns: Sequence[str]) -> Callable[[Identities], bool]:
    """Return what tells whether a client is a service, by patterns with * for any text."""
    if not patterns:
        return lambda _: False
    known = re.compile(
        "|".join(".*".join(map(re.escape, pattern.lower().split("*"))) for pattern in patterns)
    )

    def is_service(told: Identities) -> bool:
        names = (told.email, told.enduser_id, told.account_id)
        return any(name and known.fullmatch(name.lower()) for name in names)

    return is_service
