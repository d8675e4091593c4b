"""What a provider of identities may say, and what is not believed of it."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from codometer.access.openid import Provider
from codometer.access.provider import ProviderFailed, ProviderRefused, Told
from codometer.settings import Oidc
from tests.provider import CLIENT_ID, CLIENT_SECRET, ISSUER, FakeProvider, make_keys

NOW = datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC)
RETURN = "https://codometer.example/sign-in/return/company"
MINUTE = timedelta(minutes=1)


class Meeting:
    """Us and one provider; its clock is ours until it is moved."""

    def __init__(self, *, secret: str = CLIENT_SECRET, groups_claim: str = "groups") -> None:
        self.now = NOW
        self.fake = FakeProvider(lambda: NOW)
        self.secret = secret
        self.settings = Oidc(issuer=ISSUER, client_id=CLIENT_ID, groups_claim=groups_claim)
        self.provider = Provider(
            "company", self.settings, secret, self.fake.client(), now=lambda: self.now
        )

    def meet(
        self, changes: Mapping[str, str | None] | None = None, *, is_proof: bool = False
    ) -> Told:
        """Go there and come back, with these changes to what the browser brings."""
        address, begun = self.provider.begin(RETURN, is_proof=is_proof)
        return self.provider.finish(RETURN, begun, self.fake.come_back(address, **(changes or {})))


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


def test_the_way_there_asks_for_a_code_that_only_we_can_use(meeting: Meeting) -> None:
    address, begun = meeting.provider.begin(RETURN)
    asked = dict(parse_qsl(urlsplit(address).query))
    assert asked["redirect_uri"] == RETURN
    assert asked["scope"].split() == ["openid", "email", "profile"]
    assert (asked["state"], asked["nonce"]) == (begun.state, begun.nonce)
    assert begun.verifier not in address
    assert min(map(len, (begun.state, begun.nonce, begun.verifier))) >= 43
    assert "prompt" not in asked
    again, other = meeting.provider.begin(RETURN)
    assert address != again
    assert {begun.state, begun.nonce} & {other.state, other.nonce} == set()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_whoever_comes_back_is_known_by_issuer_and_subject(
    meeting: Meeting, algorithm: str
) -> None:
    meeting.fake.algorithm = algorithm
    told = meeting.meet()
    assert (told.vouched.issuer, told.vouched.subject) == (ISSUER, "sub-1")
    assert told.proved is None


def test_a_secret_goes_the_way_that_the_provider_takes() -> None:
    basic, post = Meeting(), Meeting()
    post.fake.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    for meeting in (basic, post):
        meeting.meet()
        (token,) = [each for each in meeting.fake.seen if each.url.path.endswith("/token")]
        assert ("authorization" in token.headers) == (meeting is basic)


def test_a_wrong_secret_lets_nobody_in() -> None:
    for secret in ("", "another"):
        with pytest.raises(ProviderRefused, match="did not stand by"):
            Meeting(secret=secret).meet()


def test_an_address_counts_when_it_is_verified(meeting: Meeting) -> None:
    for claims, email in (
        ({"email": "Ada@Example.com", "email_verified": True}, "ada@example.com"),
        ({"email": "ada@example.com", "email_verified": False}, ""),
        ({"email": "ada@example.com", "email_verified": "true"}, ""),
        ({"email": "ada@example.com"}, ""),
        ({"email": ["ada@example.com"], "email_verified": True}, ""),
    ):
        meeting.fake.claims = claims
        assert meeting.meet().vouched.email == email


@pytest.mark.parametrize(
    ("groups", "expected"),
    [(["a", "b"], {"a", "b"}), ("a", {"a"}), ([], set()), ([1, "a", None], {"a"}), (None, set())],
)
def test_groups_are_texts_in_a_claim(groups: object, expected: set[str]) -> None:
    meeting = Meeting(groups_claim="memberOf")
    meeting.fake.claims = {"memberOf": groups, "groups": ["of another claim"]}
    assert meeting.meet().groups == expected


def test_what_the_token_lacks_is_asked_for(meeting: Meeting) -> None:
    meeting.fake.userinfo = {"email": "ada@example.com", "email_verified": True, "groups": ["a"]}
    told = meeting.meet()
    assert (told.vouched.email, told.groups) == ("ada@example.com", frozenset({"a"}))
    meeting.fake.metadata["userinfo_endpoint"] = None
    meeting.now += timedelta(hours=2)
    meeting.fake.now = lambda: meeting.now
    assert meeting.meet().groups == set()


def test_what_is_asked_for_never_changes_what_was_signed(meeting: Meeting) -> None:
    meeting.fake.claims = {"groups": ["signed"]}
    meeting.fake.userinfo = {"groups": ["added"], "iss": "https://evil.example"}
    told = meeting.meet()
    assert (told.groups, told.vouched.issuer) == (frozenset({"signed"}), ISSUER)


def test_what_is_told_of_somebody_else_is_refused(meeting: Meeting) -> None:
    meeting.fake.userinfo = {"sub": "sub-2", "groups": ["a"]}
    with pytest.raises(ProviderRefused, match="somebody else"):
        meeting.meet()


def seconds(moment: timedelta) -> int:
    return int((NOW + moment).timestamp())


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"nonce": "another"}, id="wrong nonce"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"iss": "https://evil.example"}, id="wrong issuer"),
        pytest.param({"iss": f"{ISSUER}/"}, id="almost the issuer"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"aud": "another"}, id="wrong audience"),
        pytest.param({"aud": ["another"]}, id="wrong audiences"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"aud": [CLIENT_ID, "another"]}, id="several and nobody's by name"),
        pytest.param({"aud": [CLIENT_ID, "b"], "azp": "b"}, id="several and another's"),
        pytest.param({"azp": "another"}, id="another's"),
        pytest.param({"sub": None}, id="nobody"),
        pytest.param({"exp": seconds(-2 * MINUTE)}, id="expired"),
        pytest.param({"exp": None}, id="without end"),
        pytest.param({"iat": seconds(2 * MINUTE)}, id="of the future"),
        pytest.param({"iat": None}, id="of no time"),
        pytest.param({"nbf": seconds(2 * MINUTE)}, id="not yet"),
        pytest.param({"at_hash": "AAAA"}, id="of another access token"),
    ],
)
def test_a_token_with_a_wrong_claim_is_not_believed(
    meeting: Meeting, claims: dict[str, Any]
) -> None:
    meeting.fake.claims = claims
    with pytest.raises(ProviderRefused, match="what it sent is not good"):
        meeting.meet()


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": seconds(-timedelta(seconds=55))},
        {"iat": seconds(timedelta(seconds=55))},
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
    ],
)
def test_a_clock_may_be_a_minute_off_and_an_audience_a_list(
    meeting: Meeting, claims: dict[str, Any]
) -> None:
    meeting.fake.claims = claims
    meeting.meet()


def unsigned(token: str) -> str:
    body = token.split(".")[1]
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    return f"{head}.{body}."


def signed_with_the_public_key(token: str) -> str:
    """Sign as if the provider's public key were a secret that both of us share."""
    public = make_keys()["RS256"].as_dict(private=False)
    key = OctKey.import_key(json.dumps(public))
    return jwt.encode({"alg": "HS256", "kid": "rsa"}, decode(token), key)


def signed_by_a_stranger(token: str) -> str:
    key = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "kid": "rsa"}, decode(token), key)


def changed(token: str) -> str:
    head, _, signature = token.split(".")
    claims = json.dumps({**decode(token), "sub": "root"}).encode()
    return f"{head}.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.{signature}"


def decode(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        signed_with_the_public_key,
        signed_by_a_stranger,
        changed,
        lambda _: "",
        lambda _: "a.b.c",
        lambda _: "nonsense",
        lambda token: token + "x",
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_not_believed(
    meeting: Meeting, forge: Callable[[str], str]
) -> None:
    meeting.fake.forge = forge
    with pytest.raises(ProviderRefused, match="what it sent is not good"):
        meeting.meet()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "another"}, "not asked"),
        ({"state": None}, "not asked"),
        ({"state": "\ud800"}, "not asked"),
        ({"iss": "https://evil.example"}, "another provider"),
        ({"code": None, "error": "access_denied"}, "did not let you in"),
        ({"code": None}, "no code"),
        ({"code": "of somebody else"}, "did not stand by"),
    ],
)
def test_a_way_back_that_is_not_ours_is_refused(
    meeting: Meeting, changes: dict[str, str | None], why: str
) -> None:
    with pytest.raises(ProviderRefused, match=why):
        meeting.meet(changes)


def test_a_provider_that_says_its_name_always_must_always_say_it(meeting: Meeting) -> None:
    meeting.meet({"iss": None})
    strict = Meeting()
    strict.fake.metadata["authorization_response_iss_parameter_supported"] = True
    strict.meet()
    with pytest.raises(ProviderRefused, match="another provider"):
        strict.meet({"iss": None})


def test_a_code_is_good_once_and_for_who_began(meeting: Meeting) -> None:
    address, begun = meeting.provider.begin(RETURN)
    given = meeting.fake.come_back(address)
    meeting.provider.finish(RETURN, begun, given)
    with pytest.raises(ProviderRefused, match="did not stand by"):
        meeting.provider.finish(RETURN, begun, given)
    _, other = meeting.provider.begin(RETURN)
    with pytest.raises(ProviderRefused, match="not asked"):
        meeting.provider.finish(RETURN, other, meeting.fake.come_back(address))


def test_who_must_prove_it_anew_is_asked_anew(meeting: Meeting) -> None:
    address, _ = meeting.provider.begin(RETURN, is_proof=True)
    asked = dict(parse_qsl(urlsplit(address).query))
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    assert meeting.meet(is_proof=True).proved == NOW


@pytest.mark.parametrize(
    ("auth_time", "proved"),
    [
        (seconds(-MINUTE), NOW - MINUTE),
        (seconds(-MINUTE) + 0.0, NOW - MINUTE),
        (seconds(timedelta(days=1)), NOW),
        (10**14, NOW),
        pytest.param(10**400, NOW, id="beyond all time"),
        (-(10**14), None),
        (float("nan"), None),
        (True, None),
    ],
)
def test_a_proof_is_of_no_later_than_now(
    meeting: Meeting, auth_time: object, proved: datetime | None
) -> None:
    meeting.fake.claims = {"auth_time": auth_time}
    assert meeting.meet().proved == proved


@pytest.mark.parametrize("auth_time", [None, seconds(-timedelta(hours=1)), "now", True])
def test_a_proof_that_is_old_or_none_is_none(meeting: Meeting, auth_time: object) -> None:
    meeting.fake.claims = {"auth_time": auth_time}
    with pytest.raises(ProviderRefused):
        meeting.meet(is_proof=True)


def test_new_keys_are_found_and_not_asked_for_without_end(meeting: Meeting) -> None:
    meeting.meet()
    meeting.fake.keys = make_keys("-new")
    meeting.now += MINUTE
    meeting.meet()
    meeting.fake.forge = signed_by_a_stranger
    for _ in range(5):
        with pytest.raises(ProviderRefused):
            meeting.meet()
    assert len([each for each in meeting.fake.seen if each.url.path.endswith("/keys")]) == 2


def test_keys_that_the_provider_took_back_are_good_for_an_hour_at_most(meeting: Meeting) -> None:
    meeting.fake.now = lambda: meeting.now
    meeting.meet()
    stolen, meeting.fake.keys = meeting.fake.keys["RS256"], make_keys("-new")
    meeting.fake.forge = lambda token: jwt.encode(
        {"alg": "RS256", "kid": stolen.kid}, decode(token), stolen
    )
    meeting.meet()
    meeting.now += timedelta(hours=1)
    with pytest.raises(ProviderRefused):
        meeting.meet()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503, json={"keys": []}),
        httpx.Response(200, json={"keys": None}),
        httpx.Response(200, json={}),
        httpx.Response(200, text="<p>"),
    ],
)
def test_what_are_no_keys_does_not_take_the_place_of_keys(
    meeting: Meeting, answer: httpx.Response
) -> None:
    meeting.meet()
    good = meeting.fake.forge
    meeting.now += MINUTE
    meeting.fake.keys_answer = answer
    meeting.fake.forge = signed_by_a_stranger
    with pytest.raises(ProviderFailed, match="keys"):
        meeting.meet()
    meeting.fake.forge = good
    meeting.meet()


def test_keys_of_kinds_that_nobody_knows_are_passed_over(meeting: Meeting) -> None:
    (public,) = (meeting.fake.keys["RS256"].as_dict(private=False),)
    odd: list[object] = [None, 1, "x", [], {}, {"kty": 7}, {"kty": "RSA", "n": "!"}, public]
    meeting.fake.keys_answer = httpx.Response(200, json={"keys": odd})
    meeting.meet()


def test_what_a_provider_says_of_itself_is_remembered_for_an_hour(meeting: Meeting) -> None:
    meeting.fake.now = lambda: meeting.now
    for _ in range(3):
        meeting.meet()
    meeting.now += timedelta(hours=1)
    meeting.meet()
    asked = [each for each in meeting.fake.seen if "well-known" in str(each.url)]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "https://login.example.com"}, "calls itself 'https://login.example.com'"),
        ({"issuer": None}, "calls itself"),
        ({"token_endpoint": None}, "no token_endpoint"),
        ({"token_endpoint": "http://login.example.com/token"}, "no token_endpoint with TLS"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no authorization_endpoint"),
        ({"jwks_uri": 7}, "no jwks_uri"),
    ],
)
def test_a_provider_that_is_not_what_the_settings_say_is_not_used(
    meeting: Meeting, metadata: dict[str, Any], why: str
) -> None:
    meeting.fake.metadata = metadata
    with pytest.raises(ProviderFailed, match=why):
        meeting.provider.begin(RETURN)


def test_a_provider_that_failed_is_left_alone_for_a_moment(meeting: Meeting) -> None:
    meeting.fake.metadata = {"issuer": None}
    for _ in range(3):
        with pytest.raises(ProviderFailed, match="calls itself"):
            meeting.provider.begin(RETURN)
    assert len(meeting.fake.seen) == 1
    meeting.fake.metadata = {}
    meeting.now += timedelta(seconds=10)
    assert meeting.provider.begin(RETURN)


def test_what_is_no_document_says_nothing() -> None:
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<p>")))
    provider = Provider("company", Oidc(issuer=ISSUER, client_id=CLIENT_ID), "", client)
    with pytest.raises(ProviderFailed):
        provider.begin(RETURN)
