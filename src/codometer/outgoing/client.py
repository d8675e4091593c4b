"""The transport of that client: what a request goes through on its way out.

Every request has a connection of its own. They are few, and so nothing of one,
not even an address that was looked at, can serve another.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpx

from codometer.errors import BadSettings, CodometerError
from codometer.networks import Address, find_address
from codometer.outgoing.rules import Rules, host_of

if TYPE_CHECKING:
    from codometer.settings import Outgoing

Resolve = Callable[[str], Sequence[str]]
"""Returns all IP addresses of a name, or raises OSError. It may block."""

_ANSWER_BYTES: Final = 64 * 2**10
_CONNECT_SECONDS: Final = 5.0
_TOTAL_SECONDS: Final = 10.0
_MOST_REDIRECTS: Final = 3
_TRIP: Final = "codometer.trip"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


class OutgoingFailed(CodometerError):
    """Another server could not be reached, or did not answer as it should."""

    code = "outgoing_failed"
    status = 502


def resolve_name(name: str) -> Sequence[str]:
    """Return all addresses that the system finds for a name."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def outgoing_client(
    settings: Outgoing,
    *,
    most_bytes: int = _ANSWER_BYTES,
    total_seconds: float = _TOTAL_SECONDS,
    resolve: Resolve = resolve_name,
) -> httpx.Client:
    """Return a client for hosts that other people name. Safe to use from several threads.

    Its requests raise OutgoingRefused where the rules forbid one, before anything is sent,
    and OutgoingFailed where the other side fails; neither quotes more of an address than
    its host. What is no address at all is httpx.InvalidURL (`Rules.check_url` says so kindly).
    An answer is read in full and has at most `most_bytes`. Redirects are followed
    where a GET asks for that (`follow_redirects=True`), at most three, and each obeys the
    rules; one that answers anything else is a failure. Nothing of the environment counts, and no
    cookie is kept.

    Raises:
        BadSettings: a file that the settings name cannot be used.
    """
    transport = _Transport(
        settings, most_bytes=most_bytes, total_seconds=total_seconds, resolve=resolve
    )
    return httpx.Client(
        transport=transport,
        trust_env=False,
        # One client serves many people, and what belongs to one goes to no other.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        # Compressed, 64 KiB may be as many MiB.
        headers={"accept-encoding": "identity"},
    )


class _Transport(httpx.BaseTransport):
    def __init__(
        self, settings: Outgoing, *, most_bytes: int, total_seconds: float, resolve: Resolve
    ) -> None:
        self._rules = Rules.of(settings)
        self._most_bytes = most_bytes
        self._total_seconds = total_seconds
        self._resolve = resolve
        self._trust = _load_trust(settings.ca_file)
        self._proxy = settings.proxy
        self._proxy_login = _read_login(settings.proxy_password_file)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, and return its whole answer."""
        self._rules.check_url(request.url)
        host = host_of(request.url)
        # httpx hands the extensions of a request on to those that it is redirected to.
        trip: _Trip = request.extensions.setdefault(_TRIP, _Trip(self._total_seconds))
        trip.begin_hop(host)
        try:
            with self._connect(host, trip.deadline) as pool:
                return self._ask(pool, request)
        except (ssl.SSLError, httpcore.ConnectError) as error:
            raise _explain(host, error) from error
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise OutgoingFailed(
                f"{host} did not answer within {self._total_seconds:g} seconds",
                hint="try again later, or ask whoever runs it",
            ) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise OutgoingFailed(
                f"{host} broke off: {_reason(error)}", hint="try again, or ask whoever runs it"
            ) from error

    def _connect(self, host: str, deadline: _Deadline) -> httpcore.ConnectionPool:
        literal = find_address(host)
        if self._proxy and not self._rules.is_inside(host, literal):
            return httpcore.HTTPProxy(
                self._proxy,
                proxy_auth=self._proxy_login,
                ssl_context=self._trust,
                proxy_ssl_context=self._trust if self._proxy.startswith("https:") else None,
                network_backend=_Network(None, deadline),
            )
        addresses = [literal] if literal else self._find_addresses(host, deadline)
        for address in addresses:
            self._rules.check_address(host, address)
        return httpcore.ConnectionPool(
            ssl_context=self._trust, network_backend=_Network(addresses, deadline)
        )

    def _find_addresses(self, host: str, deadline: _Deadline) -> list[Address]:
        try:
            found = _within(deadline.left_seconds(), lambda: self._resolve(host))
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise OutgoingFailed(
                f"the name {host} is not known: {_reason(error)}",
                hint="mind its spelling, and the name servers of this machine",
            ) from error
        return [address for address in map(find_address, found) if address is not None]

    def _ask(self, pool: httpcore.ConnectionPool, request: httpx.Request) -> httpx.Response:
        url = request.url
        sent = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.read(),
        )
        response = pool.handle_request(sent)
        headers = httpx.Headers(response.headers)
        host = host_of(url)
        if request.method not in _SAFE_METHODS and response.status in range(300, 400):
            raise OutgoingFailed(
                f"{host} answers elsewhere now", hint="set the address it moved to"
            )
        if headers.get("content-encoding", "identity") != "identity":
            raise OutgoingFailed(f"{host} sent what nobody asked for: a compressed answer")
        content = bytearray()
        for piece in response.iter_stream():
            content += piece
            if len(content) > self._most_bytes:
                raise OutgoingFailed(
                    f"{host} answered with more than {self._most_bytes} bytes",
                    hint="check that the address is the right one",
                )
        return httpx.Response(response.status, headers=headers, content=bytes(content))


class _Trip:
    """What a request and those that it is redirected to share."""

    def __init__(self, seconds: float) -> None:
        self.deadline = _Deadline(seconds)
        self._hops = 0

    def begin_hop(self, host: str) -> None:
        self._hops += 1
        if self._hops > 1 + _MOST_REDIRECTS:
            raise OutgoingFailed(
                f"one address led to another more than {_MOST_REDIRECTS} times, last to {host}",
                hint="set the address that it ends at",
            )


class _Deadline:
    """When a request must be over, whatever its parts may take."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left_seconds(self) -> float:
        """Return how much is left, more than nothing.

        Raises:
            TimeoutError: nothing is.
        """
        left_seconds = self._until - time.monotonic()
        if left_seconds <= 0:
            raise TimeoutError
        return left_seconds


class _Network(httpcore.NetworkBackend):
    """Connects to addresses that were looked at, or where it is told (None), in time."""

    def __init__(self, addresses: Sequence[Address] | None, deadline: _Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers, whatever the name resolves to by now."""
        del timeout
        targets = [host] if self._addresses is None else [str(each) for each in self._addresses]
        until = time.monotonic() + _CONNECT_SECONDS
        failure: Exception = httpcore.ConnectError("it has no address")
        for target in targets:
            left_seconds = min(self._deadline.left_seconds(), until - time.monotonic())
            if left_seconds <= 0:
                raise httpcore.ConnectTimeout
            try:
                stream = self._inner.connect_tcp(
                    target, port, left_seconds, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._deadline)
        raise failure


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing waits beyond the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._inner.read(max_bytes, self._deadline.left_seconds())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._inner.write(buffer, self._deadline.left_seconds())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        del timeout
        left_seconds = self._deadline.left_seconds()
        secured = self._inner.start_tls(ssl_context, server_hostname, left_seconds)
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        return self._inner.get_extra_info(info)


def _within(seconds: float, work: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Return what work returns, or raise TimeoutError: name servers take what time they like."""
    done: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(work())
        except (OSError, UnicodeError) as error:  # a label that is too long is a UnicodeError
            done.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=run, daemon=True, name="resolve").start()
    try:
        outcome = done.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(outcome, OSError):
        raise outcome
    return outcome


def _load_trust(ca_file: str) -> ssl.SSLContext:
    trust = httpx.create_ssl_context(trust_env=False)  # certifi's, for machines that have none
    trust.load_default_certs()
    if ca_file:
        try:
            trust.load_verify_locations(ca_file)
        except OSError as error:  # as ssl.SSLError is
            raise BadSettings(
                f"outgoing.ca_file: {ca_file} cannot be used: {_reason(error)}",
                hint="it must hold certificates in PEM",
            ) from error
    return trust


def _read_login(path: str) -> tuple[str, str] | None:
    if not path:
        return None
    try:
        user, colon, password = Path(path).read_text(encoding="utf-8").strip().partition(":")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"outgoing.proxy_password_file: {path} cannot be read") from error
    if not colon:
        raise BadSettings(f"outgoing.proxy_password_file: {path} has no user:password")
    return user, password


def _explain(host: str, error: Exception) -> OutgoingFailed:
    # httpcore puts what it caught into the error that it raises, and then cuts the chain.
    first = error.args[0] if error.args else None
    cause = first if isinstance(first, OSError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return OutgoingFailed(
            f"the certificate of {host} is not trusted: {cause.verify_message}",
            hint="if an authority of your own signed it, name that in outgoing.ca_file",
        )
    return OutgoingFailed(
        f"{host} cannot be reached: {_reason(cause)}",
        hint="if a firewall is between, a proxy may lead there (outgoing.proxy)",
    )


def _reason(error: BaseException) -> str:
    said = error.strerror if isinstance(error, OSError) else ""
    return (said or str(error) or type(error).__name__).lower()
