"""Every error that a user or a client can meet.

    CodometerError
    ├── BadRequest           400  what was asked cannot be understood
    │   ├── Malformed        400  a body that is not the OTLP it claims to be
    │   └── TooFine          400  finer in time than the privacy policy tells of a group
    ├── Unauthenticated      401  no credential, or none that is good
    ├── Forbidden            403  known, and not allowed
    │   ├── ProofTooOld      403  they must show again that they are it
    │   └── TooFewPeople     403  numbers of so few people that they would tell of one
    ├── TooSlow              408  a body that did not arrive in time
    ├── Erased               410  it is of a person whose data was erased
    ├── TooLarge             413  a body over the limit, also after decompression
    ├── UnsupportedEncoding  415  a content type or encoding nobody speaks here
    ├── TooManyTries         429  too many that failed; wait
    ├── TooManyRequests      429  more than one credential may ask; wait
    │   └── TooManyExports   429  more of a whole copy than anybody needs in an hour
    ├── Overloaded           503  try again in a second or two
    ├── StoreBusy            500  another process owns the data folder
    ├── StoreUnusable        500  the data folder, or the database in it, cannot be used
    ├── PortInUse            500  somebody else listens on a port of ours
    └── BadSettings          500  the configuration has mistakes

Each has a stable `code`, an HTTP status, and a `hint` that says what to do
next. A page, the API and the command line show the same three things.
"""

from __future__ import annotations

from typing import ClassVar


class CodometerError(Exception):
    """The root: something that a person can read and act on."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retry_seconds: ClassVar[int] = 0
    """After how long it is worth to try again; 0: that would change nothing."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadRequest(CodometerError):
    """A request that cannot be understood: an unknown measure, a period that ends too early.

    `field` is what is wrong with it, as forms and bodies name it; empty if it is no single one.
    """

    code = "bad_request"
    status = 400

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class Malformed(BadRequest):
    """A body that does not decode. The client must not send it again."""

    code = "malformed"


class TooFine(BadRequest):
    """A question about a part of the organisation, finer in time than such a part is told of."""

    code = "too_fine"


class Unauthenticated(CodometerError):
    """No credential, or one that is not good, or no more. The client must not try it again."""

    code = "unauthenticated"
    status = 401


class Forbidden(CodometerError):
    """Who asks is known, and may not do this."""

    code = "forbidden"
    status = 403


class LacksPermission(Forbidden):
    """Who asks is known, and was not given the permission that this needs."""

    def __init__(self, permission: str, *, hint: str) -> None:
        """`permission` is its name, as in the reference."""
        super().__init__(f"this needs the permission {permission}", hint=hint)
        self.permission = permission


class ProofTooOld(Forbidden):
    """Who is signed in may do this, and must show first that it is still them."""

    code = "proof_too_old"


class SecondFactorNeeded(Forbidden):
    """Who is signed in must have a second factor here, and has none yet."""

    code = "second_factor_needed"


class TooFewPeople(Forbidden):
    """What was asked for covers fewer people than may be told of. How many is not said."""

    code = "too_few_people"

    def __init__(self, minimum: int) -> None:
        super().__init__(f"fewer than {minimum} people", hint="widen the period or group")


class TooSlow(CodometerError):
    """A body that did not arrive in time."""

    code = "too_slow"
    status = 408


class Erased(CodometerError):
    """It is of a person whose data was erased, and who shall not come back."""

    code = "erased"
    status = 410


class TooLarge(CodometerError):
    """A body over the limit, before or after decompression. The client must not send it again."""

    code = "too_large"
    status = 413


class UnsupportedEncoding(CodometerError):
    """A content type or content encoding that this path does not speak."""

    code = "unsupported_encoding"
    status = 415


class TooManyTries(CodometerError):
    """Too many attempts that failed came from one address."""

    code = "too_many_tries"
    status = 429
    retry_seconds = 60


class TooManyRequests(CodometerError):
    """More requests than a credential may send."""

    code = "too_many_requests"
    status = 429
    retry_seconds = 1


class TooManyExports(TooManyRequests):
    """More copies of a whole than one may take within an hour."""

    code = "too_many_exports"
    retry_seconds = 360


class Overloaded(CodometerError):
    """No room for one more request now. The client should try again in a second or two."""

    code = "overloaded"
    status = 503
    retry_seconds = 1


class StoreBusy(CodometerError):
    """Another process owns the data folder."""

    code = "store_busy"


class StoreUnusable(CodometerError):
    """The data folder cannot be written to, or the database in it cannot be read."""

    code = "store_unusable"


class PortInUse(CodometerError):
    """Somebody else listens on a port that the server needs."""

    code = "port_in_use"


class BadSettings(CodometerError):
    """The configuration has mistakes; the message lists every one of them."""

    code = "bad_settings"
