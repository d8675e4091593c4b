"""Second factors: one-time passwords of an authenticator (RFC 6238), and codes for its loss.

A code is good for the half minute it is made for and the ones before and after, and
once. The secret behind them is encrypted for its row; recovery codes have so many
random bits that a SHA-256 keeps them.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import TYPE_CHECKING, Final

import pyotp
from sqlalchemy import delete, func, insert, select, update

from codometer.access.secret import digest
from codometer.privacy.encryption import Purpose
from codometer.store.control_tables import RECOVERY_CODE, SECOND_FACTOR

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from codometer.access.audit import Change
    from codometer.access.keys import Keys

_STEP_SECONDS: Final = 30
_DIGITS: Final = 6
_DRIFT: Final = (-1, 0, 1)
_ISSUER: Final = "Codometer"
_RECOVERY_CODES: Final = 8
_RECOVERY_BYTES: Final = 15
_GROUP: Final = 6


def make_factor_secret() -> str:
    """Return a secret for an authenticator, in base 32 as people type it."""
    return pyotp.random_base32()


def factor_address(secret: str, login: str) -> str:
    """Return the address that authenticators read from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)


class SecondFactors:
    """The second factors of an installation. Each method works in its caller's change."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def add(self, change: Change, account_id: str, secret: str, code: str) -> bool:
        """Take a secret for an account, if this is one of its codes; say whether it is."""
        step = _find_step(secret, code, change.time, after=0)
        if step is None:
            return False
        blob = self._keys.ring.encrypt(secret, _place_of(account_id), Purpose.SECOND_FACTOR)
        self.remove(change, account_id)
        values = {"secret": blob, "last_step": step, "created": change.time}
        change.connection.execute(insert(SECOND_FACTOR).values(account=account_id, **values))
        return True

    def remove(self, change: Change, account_id: str) -> bool:
        """Take the factor and its recovery codes away; say whether there was one."""
        run = change.connection.execute
        run(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.account == account_id))
        found = run(delete(SECOND_FACTOR).where(SECOND_FACTOR.c.account == account_id))
        return found.rowcount > 0

    def make_codes(self, change: Change, account_id: str) -> list[str]:
        """Return new recovery codes; older ones are good no more."""
        run = change.connection.execute
        run(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.account == account_id))
        codes = [_make_code() for _ in range(_RECOVERY_CODES)]
        for code in codes:
            run(insert(RECOVERY_CODE).values(digest=_digest(code), account=account_id))
        return codes

    def is_code(self, change: Change, account_id: str, code: str) -> bool:
        """Tell whether this is a code of the authenticator now, which is used up by that."""
        table = SECOND_FACTOR.c
        row = change.connection.execute(
            select(SECOND_FACTOR).where(table.account == account_id)
        ).first()
        if row is None:
            return False
        place = _place_of(account_id)
        secret = self._keys.ring.decrypt(row.secret, place, Purpose.SECOND_FACTOR)
        step = _find_step(secret, code, change.time, after=row.last_step)
        if step is None:
            return False
        mine = update(SECOND_FACTOR).where(table.account == account_id)
        change.connection.execute(mine.values(last_step=step))
        return True

    def is_recovery_code(self, change: Change, account_id: str, code: str) -> bool:
        """Tell whether this is a recovery code, which is gone then."""
        table = RECOVERY_CODE.c
        mine = (table.account == account_id) & (table.digest == _digest(code))
        return change.connection.execute(delete(RECOVERY_CODE).where(mine)).rowcount > 0


def count_codes(connection: Connection, account_id: str) -> int:
    """Return how many recovery codes are left."""
    mine = select(func.count()).where(RECOVERY_CODE.c.account == account_id)
    return int(connection.execute(mine).scalar_one())


def _find_step(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """Return which half minute a code is of, near now and later than the last that was used."""
    given = "".join(code.split()).encode("utf-8", "replace")
    here = int(now.timestamp()) // _STEP_SECONDS
    # All are compared, so that how long it takes tells nothing.
    found = [
        step
        for step in (here + drift for drift in _DRIFT)
        if hmac.compare_digest(_code_of(secret, step).encode(), given)
    ]
    return next((step for step in found if step > after), None)


def _code_of(secret: str, step: int) -> str:
    return pyotp.TOTP(secret, digits=_DIGITS, interval=_STEP_SECONDS).generate_otp(step)


def _make_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def _digest(code: str) -> str:
    """Return what is stored of a recovery code, however it was typed."""
    return digest("".join(each for each in code.lower() if each.isalnum()))


def _place_of(account_id: str) -> str:
    return f"second_factor|secret|{account_id}"
