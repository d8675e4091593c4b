"""A provider of identities in memory, which says whatever a test wants it to say."""

import base64
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import httpx
from authlib.oauth2.rfc7636 import (  # type: ignore[import-untyped] # no stubs, no py.typed
    create_s256_code_challenge,
)
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from codometer.outgoing import OutgoingFailed

ISSUER: Final = "https://login.example.com/tenant"
CLIENT_ID: Final = "codometer"
CLIENT_SECRET: Final = "a secret: with %2F and space"  # noqa: S105 - of a test


def make_keys(suffix: str = "") -> dict[str, Key]:
    """Make a key for every algorithm that we take."""
    return {
        "RS256": RSAKey.generate_key(2048, {"kid": f"rsa{suffix}", "use": "sig"}),
        "ES256": ECKey.generate_key("P-256", {"kid": f"ec{suffix}", "use": "sig"}),
        "EdDSA": OKPKey.generate_key("Ed25519", {"kid": f"ed{suffix}", "use": "sig"}),
    }


_KEYS: Final = make_keys()


def _let_go() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class FakeProvider:
    """Answers as OpenID Connect says, but for what a test changes.

    `claims` go over those of the ID token; one that is None leaves it out.
    """

    now: Callable[[], datetime]
    issuer: str = ISSUER
    subject: str = "sub-1"
    algorithm: str = "RS256"
    keys: dict[str, Key] = field(default_factory=lambda: dict(_KEYS))
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    keys_answer: httpx.Response | None = None
    """What it says instead of its keys."""
    forge: Callable[[str], str] = lambda token: token
    seen: list[httpx.Request] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=_let_go)
    """While it is not set, no answer comes."""
    is_down: bool = False
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def client(self) -> httpx.Client:
        """Return a client that reaches this provider and nobody else."""
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def come_back(self, address: str, **changes: str | None) -> dict[str, str]:
        """Return what the browser brings back from the address that it was sent to."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        asked = dict(parse_qsl(parts.query))
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        brought = {"code": code, "state": asked["state"], "iss": self.issuer, **changes}
        return {name: value for name, value in brought.items() if value is not None}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        self.asked.set()
        self.hold.wait()
        if self.is_down:
            raise OutgoingFailed(f"{request.url.host} did not answer", hint="try again later")
        path = str(request.url).removeprefix(self.issuer)
        answers = {
            "/.well-known/openid-configuration": self._tell_metadata,
            "/keys": self._tell_keys,
            "/token": self._tell_tokens,
            "/userinfo": self._tell_userinfo,
        }
        return answers[path](request)

    def _tell_metadata(self, _: httpx.Request) -> httpx.Response:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.metadata,
        }
        return httpx.Response(200, json={k: v for k, v in told.items() if v is not None})

    def _tell_keys(self, _: httpx.Request) -> httpx.Response:
        if self.keys_answer is not None:
            return self.keys_answer
        public = [key.as_dict(private=False) for key in self.keys.values()]
        strange = {"kty": "XYZ", "kid": "of a later year"}
        return httpx.Response(200, json={"keys": [strange, *public]})

    def _tell_tokens(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        asked = self._codes.pop(form["code"], None)  # each is good once
        if asked is None or not _is_client(request, form):
            return httpx.Response(400, json={"error": "invalid_grant"})
        assert form["redirect_uri"] == asked["redirect_uri"]
        assert create_s256_code_challenge(form["code_verifier"]) == asked["code_challenge"]
        token = self.forge(self._sign(self._claims_for(asked)))
        return httpx.Response(200, json={"access_token": "access", "id_token": token})

    def _claims_for(self, asked: Mapping[str, str]) -> dict[str, Any]:
        now = self.now()
        auth_time = {"auth_time": int(now.timestamp())} if "max_age" in asked else {}
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "nonce": asked["nonce"],
            **auth_time,
            **self.claims,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def _sign(self, claims: Mapping[str, Any]) -> str:
        key = self.keys[self.algorithm]
        header = {"alg": self.algorithm, "kid": key.kid}
        registry = JWSRegistry(algorithms=[self.algorithm])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # EdDSA has a newer name
            return jwt.encode(header, dict(claims), key, registry=registry)

    def _tell_userinfo(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer access"
        return httpx.Response(200, json={"sub": self.subject, **self.userinfo})


def _is_client(request: httpx.Request, form: Mapping[str, str]) -> bool:
    """Check what the client proves itself with, in either of the two ways."""
    given = form.get("client_secret")
    if "authorization" in request.headers:
        kind, _, encoded = request.headers["authorization"].partition(" ")
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        assert (kind, unquote(name)) == ("Basic", CLIENT_ID)
        given = unquote(secret)
    return given == CLIENT_SECRET
