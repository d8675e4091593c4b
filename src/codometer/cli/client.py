"""Asks a running server, and says clearly when none answers."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from codometer.configuration import (
    ServerAddress,
    find_ca_file,
    find_credential,
    find_server,
    load_settings,
)
from codometer.errors import BadRequest, BadSettings, CodometerError
from codometer.networks import is_loopback
from codometer.serve.exact_json import decode
from codometer.settings import OPERATOR_KEY_NAME

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import httpx

_TIMEOUT_SECONDS: Final = 60.0
_CONNECT_TIMEOUT_SECONDS: Final = 5.0
_DISTRUST: Final = "CERTIFICATE_VERIFY_FAILED"
_ERRNO: Final = re.compile(r"\[Errno -?\d+\] ")


class Unreachable(CodometerError):
    """No Codometer server answers at the address."""

    code = "unreachable"
    status = 503


class ServerError(CodometerError):
    """The server answered with an error that is its own."""

    code = "server_error"


def ask_server(
    url: str | None, path: str, parameters: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Get a resource as JSON, decimals exact. `url` None asks the server that the settings name.

    Raises:
        Unreachable: nobody answers, or somebody who is not Codometer.
        BadRequest: the server does not understand the question, or refuses it.
        ServerError: the server failed.
    """
    return _request(url, "GET", path, params=list(parameters))


def tell_server(url: str | None, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    """Have the server do something and return its answer; otherwise as `ask_server`."""
    return _request(url, "POST", path, json=dict(body))


def _request(url: str | None, method: str, path: str, **content: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
    import httpx

    server = ServerAddress(url, "--url") if url else find_server()
    address, origin = server.url.rstrip("/"), server.origin
    try:
        target = httpx.URL(address + path)
        # A proxy of the environment has no way to this machine's own loopback.
        with httpx.Client(
            trust_env=not is_loopback(target.host),
            verify=_find_trust(server, target),
            timeout=httpx.Timeout(_TIMEOUT_SECONDS, connect=_CONNECT_TIMEOUT_SECONDS),
        ) as client:
            credential = find_credential()
            response = client.request(method, target, headers=_bearer(credential), **content)
            refused = response.status_code == HTTPStatus.UNAUTHORIZED and credential is None
            # Whoever can read the server's folder may do without an account.
            if refused and is_loopback(target.host):
                key = _get_operator_key(load_settings().data)
                response = client.request(method, target, headers=_bearer(key), **content)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise BadRequest(
            f"{address!r} ({origin}) is no address: {error}", hint="such as http://127.0.0.1:4319"
        ) from error
    except httpx.TimeoutException as error:
        raise _unreachable(address, origin, "it took too long") from error
    except httpx.HTTPError as error:
        raise _unreachable(
            address, origin, _ERRNO.sub("", str(error)), is_distrust=_DISTRUST in str(error)
        ) from error
    return _content(response, address, origin)


def _bearer(secret: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"} if secret else {}


def _get_operator_key(folder: Path) -> str:
    """Return what proves that whoever asks can read the server's data folder.

    Raises:
        BadRequest: they cannot, or it is not this folder.
    """
    try:
        return (folder / OPERATOR_KEY_NAME).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(
            f"nobody is signed in, and {folder} has no key of the server that you can read",
            hint="name its data folder with CODOMETER_DATA, or give a credential with"
            " CODOMETER_CREDENTIAL",
        ) from error


def _find_trust(server: ServerAddress, target: httpx.URL) -> ssl.SSLContext | bool:
    """Return whom to trust: what every program does, and what an organisation adds.

    The server of these settings, on this machine, is known by its own certificate, whatever
    name stands in that: it is not reached by the name that others use.
    """
    ca_file = find_ca_file()
    if target.scheme != "https" or not (ca_file or server.certificate):
        return True
    import ssl

    import httpx

    try:
        if server.certificate and is_loopback(target.host):
            trust = ssl.create_default_context(cafile=server.certificate)
            trust.check_hostname = False
            trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        else:
            trust = httpx.create_ssl_context()
        if ca_file:
            trust.load_verify_locations(ca_file)
    except OSError as error:  # as ssl.SSLError is
        raise BadSettings(
            f"{ca_file or server.certificate} cannot be used: {error.strerror or error}",
            hint="it must hold certificates in PEM, and be readable to you",
        ) from error
    return trust


def _unreachable(
    address: str, origin: str, reason: str, *, is_distrust: bool = False
) -> Unreachable:
    reason = reason.removeprefix("[Errno 111] ")
    where = "default" if origin == "default" else f"from {origin}"
    return Unreachable(
        f"no Codometer server answers at {address} ({where}): {reason}",
        hint="name the authority that signed its certificate: CODOMETER_CA_FILE=FILE"
        if is_distrust
        else "start one with `codometer serve`, or name another with --url or CODOMETER_URL",
    )


def _content(response: httpx.Response, address: str, origin: str) -> dict[str, Any]:
    try:
        content = decode(response.content)
    except ValueError:
        content = None
    found = f"something else does, with status {response.status_code}"
    if not isinstance(content, dict):
        raise _unreachable(address, origin, f"{found} and no JSON")
    if response.is_success:
        return content
    error = content.get("error")
    if not isinstance(error, dict):
        raise _unreachable(address, origin, found)
    raise _refusal(response)(str(error.get("message", "")), hint=str(error.get("hint", "")))


def _refusal(response: httpx.Response) -> type[CodometerError]:
    if response.status_code == Unreachable.status:
        return Unreachable
    return BadRequest if response.is_client_error else ServerError
