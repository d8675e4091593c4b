"""OpenID Connect: people prove who they are to a provider, which tells us.

The code flow with PKCE. What binds the steps together is in the caller's keeping
(`Begun`), so any server of an installation can finish what another began.

    begin ─▶ the browser goes to the provider, and comes back with a code
    finish ─▶ code ─▶ ID token, whose signature and every claim are checked ─▶ who it is

https://openid.net/specs/openid-connect-core-1_0.html (2026-11)
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped] # no stubs, no py.typed
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped] # no stubs, no py.typed
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped] # no stubs, no py.typed
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped] # no stubs, no py.typed
from authlib.oidc.discovery import get_well_known_url  # type: ignore[import-untyped] # no stubs, no py.typed
from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from codometer.access.accounts import Vouched
from codometer.access.provider import Begun, ProviderFailed, ProviderRefused, Told
from codometer.errors import CodometerError
from codometer.settings import Oidc

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
"""How an ID token may be signed. Never with a secret that we share, and never not at all. The
last two are one under its old and its new name (RFC 9864)."""
SKEW: Final = timedelta(seconds=60)
"""How far the provider's clock may be from ours."""
_REMEMBERED: Final = timedelta(hours=1)
_KEYS_REST: Final = timedelta(minutes=1)
_FAILURE_REST: Final = timedelta(seconds=10)
_SECRET_BYTES: Final = 32
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    """What the provider says of itself, as of an hour ago at most."""

    values: Mapping[str, Any]
    read_at: datetime

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a document of another server
        return self.values[name]


class _Registry(JWSRegistry):
    """What a signature may be made with. The library's own warns of names that are older."""

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - a type that the library keeps to itself
        """Return how to check a signature that is said to be made with this."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(f"the algorithm {name[:20]!r} is not allowed")
        return self.algorithms[name]


_REGISTRY: Final = _Registry(algorithms=list(ALGORITHMS))


class Provider:
    """One provider. Safe to use from several threads; each method may ask it, and block."""

    def __init__(
        self,
        name: str,
        settings: Oidc,
        secret: str,
        client: httpx.Client,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`secret` is what this server proves itself with, "" for a public client."""
        self.name = name
        self.label = settings.label or name
        self.issuer = settings.issuer
        self._settings = settings
        self._secret = secret
        self._client = client
        self._now = now
        self._metadata: _Metadata | None = None
        self._keys: KeySet | None = None
        self._keys_read_at = self._keys_asked_at = datetime.min.replace(tzinfo=UTC)
        self._failure: tuple[datetime, CodometerError] | None = None
        self._lock = threading.Lock()

    def begin(self, return_to: str, *, is_proof: bool = False) -> tuple[str, Begun]:
        """Return where to send the browser, and what to keep until it comes back.

        With `is_proof` the provider must ask, however lately it did.

        Raises:
            ProviderFailed: it does not say where.
            OutgoingFailed, OutgoingRefused: it cannot be asked.
        """
        begun = Begun(
            state=secrets.token_urlsafe(_SECRET_BYTES),
            nonce=secrets.token_urlsafe(_SECRET_BYTES),
            verifier=secrets.token_urlsafe(_SECRET_BYTES),
            is_proof="yes" if is_proof else "",
        )
        anew = {"prompt": "login", "max_age": "0"} if is_proof else {}
        address: str = prepare_grant_uri(
            self._read_metadata()["authorization_endpoint"],
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=return_to,
            scope=" ".join(("openid", *self._settings.scopes)),
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
            **anew,
        )
        return address, begun

    def finish(self, return_to: str, begun: Begun, given: Mapping[str, str]) -> Told:
        """Return who came back, from the parameters of the address that they came back to.

        Raises:
            ProviderRefused: the provider says no, or says what is not to be believed.
            ProviderFailed, OutgoingFailed, OutgoingRefused: it cannot be asked.
        """
        self._check_return(begun, given)
        tokens = self._fetch_tokens(return_to, begun, given["code"])
        claims = self._read_id_token(tokens, begun)
        if not {"email", self._settings.groups_claim} <= set(claims):
            claims = {**self._fetch_more(tokens, claims["sub"]), **claims}
        return self._tell(claims)

    def _check_return(self, begun: Begun, given: Mapping[str, str]) -> None:
        state = given.get("state", "").encode("utf-8", "replace")
        if not hmac.compare_digest(begun.state.encode(), state):
            self._refuse("it answers what was not asked")
        metadata = self._read_metadata()
        # Another provider's answer must not pass for this one's (RFC 9207).
        must_say = metadata.values.get("authorization_response_iss_parameter_supported") is True
        if given.get("iss", "" if must_say else self.issuer) != self.issuer:
            self._refuse("it answers for another provider")
        if "error" in given:
            # What it adds is a text of anybody's who made the address.
            _log.info("%s refused a sign-in: %r", self.name, given["error"][:100])
            self._refuse("it did not let you in")
        if not given.get("code"):
            self._refuse("it sent no code")

    def _fetch_tokens(self, return_to: str, begun: Begun, code: str) -> Mapping[str, Any]:
        metadata = self._read_metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": return_to,
            "code_verifier": begun.verifier,
        }
        client_id = self._settings.client_id
        auth: httpx.Auth = httpx.Auth()  # sends nothing
        methods = metadata.values.get("token_endpoint_auth_methods_supported")
        if self._secret and "client_secret_basic" in (methods or ["client_secret_basic"]):
            auth = httpx.BasicAuth(quote(client_id, safe=""), quote(self._secret, safe=""))
        else:
            form |= {"client_id": client_id}
            form |= {"client_secret": self._secret} if self._secret else {}
        answer = self._client.post(
            metadata["token_endpoint"],
            data=form,
            auth=auth,
            headers={"accept": "application/json"},
        )
        tokens = _read_object(answer)
        if not answer.is_success or "id_token" not in tokens:
            reason = str(tokens.get("error", answer.status_code))[:100]
            _log.warning("%s gave no token for a code: %r", self.name, reason)
            self._refuse("it did not stand by its answer")
        return tokens

    def _read_id_token(self, tokens: Mapping[str, Any], begun: Begun) -> dict[str, Any]:
        token = self._decode(str(tokens["id_token"]))
        options = {
            "iss": {"essential": True, "value": self.issuer},
            "sub": {"essential": True},
            "aud": {"essential": True, "value": self._settings.client_id},
        }
        params = {
            "nonce": begun.nonce,
            "client_id": self._settings.client_id,
            "access_token": tokens.get("access_token"),
        }
        now = int(self._now().timestamp())
        leeway = int(SKEW.total_seconds())
        claims = dict(token.claims)
        try:
            CodeIDToken(claims, token.header, options, params).validate(now, leeway)
        except (JoseError, AuthlibBaseError) as error:
            self._disbelieve(error)
        proved = self._find_proved(claims)
        if begun.is_proof and (proved is None or self._now() - proved > 2 * SKEW):
            self._refuse("it did not ask again who you are")
        return claims

    def _decode(self, text: str) -> jwt.Token:
        for is_fresh in (False, True):  # a key that is not known may be new
            try:
                return jwt.decode(text, self._find_keys(anew=is_fresh), registry=_REGISTRY)
            except (JoseError, ValueError) as error:
                if is_fresh or not self._may_read_keys():
                    self._disbelieve(error)
        raise AssertionError  # the second turn returns or raises

    def _fetch_more(self, tokens: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
        """Return what the provider tells beside the ID token, where it has a place for that."""
        endpoint = self._read_metadata().values.get("userinfo_endpoint")
        if not endpoint or "access_token" not in tokens:
            return {}
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        answer = self._client.get(str(endpoint), headers=bearer)
        more = _read_object(answer)
        if not answer.is_success or more.get("sub") != subject:
            self._refuse("it told of somebody else")
        return more

    def _tell(self, claims: Mapping[str, Any]) -> Told:
        email = claims.get("email")
        is_verified = claims.get("email_verified") is True and isinstance(email, str)
        groups = claims.get(self._settings.groups_claim, [])
        listed = groups if isinstance(groups, list) else [groups]
        name = claims.get("preferred_username")
        return Told(
            vouched=Vouched(
                issuer=self.issuer,
                subject=str(claims["sub"]),
                email=str(email).strip().casefold() if is_verified else "",
            ),
            name=name if isinstance(name, str) else "",
            groups=frozenset(each for each in listed if isinstance(each, str)),
            proved=self._find_proved(claims),
        )

    def _find_proved(self, claims: Mapping[str, Any]) -> datetime | None:
        told, now = claims.get("auth_time"), self._now().timestamp()
        if isinstance(told, bool) or not isinstance(told, int | float) or not told >= 0:
            return None
        return datetime.fromtimestamp(min(told, now), UTC)

    def _read_metadata(self) -> _Metadata:
        """Return what the provider says of itself."""
        with self._lock:
            known = self._metadata
            if known is None or self._now() - known.read_at >= _REMEMBERED:
                known = self._metadata = self._ask(self._fetch_metadata)
            return known

    def _ask(self, fetch: Callable[[], T]) -> T:
        """Ask it, or fail as it did a moment ago: who waits for an answer keeps others waiting."""
        if self._failure is not None:
            failed_at, error = self._failure
            if self._now() - failed_at < _FAILURE_REST:
                raise error.with_traceback(None)
        try:
            return fetch()
        except CodometerError as error:
            self._failure = self._now(), error
            raise

    def _fetch_metadata(self) -> _Metadata:
        address = get_well_known_url(self.issuer, external=True)
        answer = self._client.get(address, follow_redirects=True)
        found = _read_object(answer)
        if found.get("issuer") != self.issuer:
            raise ProviderFailed(
                f"{self.label} calls itself {str(found.get('issuer'))[:200]!r}",
                hint=f"set oidc.{self.name}.issuer to exactly what it calls itself",
            )
        schemes = {"https", urlsplit(self.issuer).scheme}
        for name in _ENDPOINTS:
            if urlsplit(str(found.get(name, ""))).scheme not in schemes:
                raise ProviderFailed(f"{self.label} has no {name} with TLS")
        return _Metadata(values=found, read_at=self._now())

    def _find_keys(self, *, anew: bool) -> KeySet:
        address = self._read_metadata()["jwks_uri"]
        with self._lock:
            now = self._now()
            if self._keys is None or anew or now - self._keys_read_at >= _REMEMBERED:
                self._keys_asked_at = now
                self._keys = self._ask(lambda: self._fetch_keys(address))
                self._keys_read_at = now
            return self._keys

    def _fetch_keys(self, address: str) -> KeySet:
        answer = self._client.get(address)
        listed = _read_object(answer).get("keys")
        if not answer.is_success or not isinstance(listed, list):
            raise ProviderFailed(f"{self.label} does not tell its keys", hint="try again later")
        return _read_keys(listed)

    def _may_read_keys(self) -> bool:
        return self._now() - self._keys_asked_at >= _KEYS_REST

    def _disbelieve(self, error: Exception) -> NoReturn:
        _log.warning("%s sent a token that is not good: %s", self.name, error)
        self._refuse("what it sent is not good")

    def _refuse(self, reason: str) -> NoReturn:
        raise ProviderRefused(
            f"{self.label}: {reason}", hint="begin again; if it stays so, ask your administrator"
        )


def _read_object(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}


def _read_keys(listed: Sequence[Any]) -> KeySet:
    """Return the keys that can be used; those of kinds that nobody knows here are passed over."""
    found = []
    for each in listed:
        try:
            found.extend(KeySet.import_key_set({"keys": [each]}).keys)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(found)
