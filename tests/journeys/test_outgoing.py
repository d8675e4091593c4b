"""Requests that leave, to real servers of others on loopback."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from codometer.errors import BadSettings
from codometer.outgoing import OutgoingFailed, OutgoingRefused, outgoing_client
from codometer.outgoing.client import Resolve, resolve_name
from codometer.settings import Outgoing
from tests.certificates import Authority
from tests.elsewhere import Elsewhere, Handler, lead_to, proxy_to, serve

HOOK = "hook.example"


def plainly(*servers: Elsewhere, **more: str) -> Outgoing:
    """Return settings that let loopback be reached at these servers' ports, without TLS."""
    return Outgoing(
        allow=("127.0.0.0/8", HOOK),
        plain=("127.0.0.0/8", HOOK),
        ports=tuple(str(server.port) for server in servers),
        **more,
    )


class Names:
    """A name server: each name has a list of answers, of which the last stays."""

    def __init__(self, **answers: list[Sequence[str]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        answers = self._answers.get(name.partition(".")[0], [])
        if not answers:
            raise OSError(-2, "Name or service not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def get(
    settings: Outgoing, url: str, *, follow: bool = False, resolve: Resolve = resolve_name
) -> httpx.Response:
    with outgoing_client(settings, resolve=resolve) as client:
        return client.get(url, follow_redirects=follow)


def here(server: Elsewhere, host: str = "127.0.0.1", path: str = "/") -> str:
    return f"http://{host}:{server.port}{path}"


def test_a_request_arrives_and_its_answer_comes_back() -> None:
    with serve() as server, outgoing_client(plainly(server)) as client:
        answer = client.post(here(server, path="/hook?a=1"), json={"b": 2})
    assert (answer.status_code, answer.content) == (200, b"hello")
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/hook?a=1", b'{"b":2}')
    assert seen.headers["host"] == f"127.0.0.1:{server.port}"
    assert seen.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("host", ["127.0.0.1", HOOK])
def test_without_being_allowed_loopback_is_not_reached(host: str) -> None:
    with serve() as server:
        settings = Outgoing(plain=("127.0.0.1", HOOK), ports=(str(server.port),))
        with pytest.raises(OutgoingRefused, match="not on the Internet"):
            get(settings, here(server, host), resolve=Names(hook=[["127.0.0.1"]]))
    assert server.seen == []


def test_the_private_authority_of_an_organisation_is_trusted_when_it_is_named(
    tmp_path: Path,
) -> None:
    authority = Authority.make(tmp_path)
    names = Names(hook=[["127.0.0.1"]])
    with serve(tls=authority.issue("hook", [HOOK])) as server:
        ports = (str(server.port),)
        url = f"https://{HOOK}:{server.port}/"
        with pytest.raises(OutgoingFailed, match=f"certificate of {HOOK} is not trusted") as no:
            get(Outgoing(allow=(HOOK,), ports=ports), url, resolve=names)
        assert "outgoing.ca_file" in no.value.hint
        trusting = Outgoing(allow=(HOOK,), ports=ports, ca_file=str(authority.file))
        assert get(trusting, url, resolve=names).content == b"hello"
    # The name, not the address, is what TLS and HTTP ask for.
    assert server.names[-1] == HOOK
    assert server.seen[-1].headers["host"] == f"{HOOK}:{server.port}"


def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    with serve(tls=authority.issue("other", ["other.example"])) as server:
        ca_file = str(authority.file)
        settings = Outgoing(allow=(HOOK,), ports=(str(server.port),), ca_file=ca_file)
        url = f"https://{HOOK}:{server.port}/"
        with pytest.raises(OutgoingFailed, match="is not trusted"):
            get(settings, url, resolve=Names(hook=[["127.0.0.1"]]))
    assert server.seen == []


def test_a_name_is_resolved_once_and_the_connection_goes_to_what_was_looked_at() -> None:
    with serve() as good, serve(host="127.0.0.2", port=good.port) as bad:
        names = Names(hook=[["127.0.0.1"], ["127.0.0.2"]])
        get(plainly(good), here(good, HOOK), resolve=names)
    assert names.asked == [HOOK]
    assert (len(good.seen), len(bad.seen)) == (1, 0)


@pytest.mark.parametrize(
    "addresses",
    [
        ["1.1.1.1", "10.0.0.1"],
        ["10.0.0.1", "1.1.1.1"],
        ["2606:4700:4700::1111", "::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::1"],
        ["fe80::1%lo"],
    ],
)
def test_a_name_with_one_address_inside_is_refused_before_any_connection(
    addresses: list[str],
) -> None:
    with serve() as server:
        settings = Outgoing(plain=(HOOK,), ports=(str(server.port),))
        with pytest.raises(OutgoingRefused):
            get(settings, here(server, HOOK), resolve=Names(hook=[addresses]))
    assert server.seen == []


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    with serve() as server:
        names = Names(hook=[["127.0.0.3", "127.0.0.1"]])
        assert get(plainly(server), here(server, HOOK), resolve=names).content == b"hello"


def test_what_one_answer_leaves_goes_with_no_other_request() -> None:
    def leave(asked: Handler) -> None:
        asked.reply(200, set_cookie="session=of-one-person; path=/")

    with serve(leave) as server, outgoing_client(plainly(server)) as client:
        client.get(here(server))
        client.get(here(server))
    assert ["cookie" in seen.headers for seen in server.seen] == [False, False]


def test_a_redirect_is_followed_only_when_asked_for() -> None:
    with serve() as end, serve(lead_to(here(end))) as server:
        settings = plainly(server, end)
        assert get(settings, here(server)).status_code == 302
        assert end.seen == []
        assert get(settings, here(server), follow=True).content == b"hello"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://10.0.0.1/",
        "http://2130706433/",
        "file:///etc/passwd",
        "http://user:password@127.0.0.1/",
    ],
)
def test_a_redirect_obeys_the_rules_too(target: str) -> None:
    with serve(lead_to(target)) as server, pytest.raises(OutgoingRefused):
        get(plainly(server), here(server), follow=True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("follow", [True, False])
def test_what_is_posted_is_not_sent_on_to_elsewhere(*, status: int, follow: bool) -> None:
    with (
        serve() as end,
        serve(lead_to(here(end), status)) as server,
        outgoing_client(plainly(server, end)) as client,
        pytest.raises(OutgoingFailed, match="answers elsewhere now"),
    ):
        client.post(here(server), follow_redirects=follow)
    assert end.seen == []


def test_a_chain_of_redirects_ends_after_three() -> None:
    with serve() as server:
        server.answer = lead_to(here(server))
        with pytest.raises(OutgoingFailed, match="more than 3 times"):
            get(plainly(server), here(server), follow=True)
    assert len(server.seen) == 4


def test_an_answer_has_at_most_so_many_bytes() -> None:
    with serve(lambda handler: handler.reply(200, bytes(65_537))) as server:
        with pytest.raises(OutgoingFailed, match="more than 65536 bytes"):
            get(plainly(server), here(server))
        with outgoing_client(plainly(server), most_bytes=100_000) as client:
            assert len(client.get(here(server)).content) == 65_537


def test_a_compressed_answer_is_not_inflated() -> None:
    with (
        serve(lambda handler: handler.reply(200, b"\x1f\x8b", content_encoding="gzip")) as server,
        pytest.raises(OutgoingFailed, match="compressed"),
    ):
        get(plainly(server), here(server))


def drip(handler: Handler) -> None:
    """Answer a byte at a time, always in time for the next, never done."""
    handler.send_response(200)
    handler.send_header("content-length", "1000000")
    handler.end_headers()
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.02)


def test_an_answer_that_comes_in_drops_is_given_up_in_the_end() -> None:
    with (
        serve(drip) as server,
        outgoing_client(plainly(server), total_seconds=0.5) as client,
        pytest.raises(OutgoingFailed, match=r"did not answer within 0\.5 seconds"),
    ):
        client.get(here(server))


def test_name_servers_that_say_nothing_do_not_hold_us() -> None:
    answer = threading.Event()

    def resolve(_: str) -> Sequence[str]:
        answer.wait()
        return ["127.0.0.1"]

    with (
        serve() as server,
        outgoing_client(plainly(server), total_seconds=0.2, resolve=resolve) as client,
        pytest.raises(OutgoingFailed, match=r"did not answer within 0\.2 seconds"),
    ):
        client.get(here(server, HOOK))
    answer.set()
    assert server.seen == []


def test_a_name_that_nobody_knows_is_an_error_that_says_so() -> None:
    with pytest.raises(OutgoingFailed, match=r"the name gone\.example is not known"):
        get(Outgoing(), "https://gone.example/", resolve=Names())


def test_a_name_that_cannot_be_one_is_an_error_that_says_so() -> None:
    with pytest.raises(OutgoingFailed, match="is not known"):
        get(Outgoing(), f"https://{'a' * 64}/")


def test_a_server_that_is_not_there_is_an_error_that_says_so() -> None:
    with serve() as server:
        settings = plainly(server)
    with pytest.raises(OutgoingFailed, match=r"127\.0\.0\.1 cannot be reached") as failed:
        get(settings, here(server, path="/secret"))
    assert "secret" not in failed.value.message


def test_a_server_that_breaks_off_is_an_error_that_says_so() -> None:
    def break_off(handler: Handler) -> None:
        handler.close_connection = True

    with (
        serve(break_off) as server,
        pytest.raises(OutgoingFailed, match=r"127\.0\.0\.1 broke off"),
    ):
        get(plainly(server), here(server))


def test_a_proxy_leads_out_and_resolves_the_names(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    password = tmp_path / "proxy"
    password.write_text("robot:opensesame\n", encoding="utf-8")
    names = Names()
    with serve(tls=authority.issue("hook", [HOOK])) as server, proxy_to(server.port) as proxy:
        settings = Outgoing(
            proxy=f"http://127.0.0.1:{proxy.port}",
            proxy_password_file=str(password),
            ca_file=str(authority.file),
        )
        assert get(settings, f"https://{HOOK}/path", resolve=names).content == b"hello"
    (asked,) = proxy.seen
    assert (asked.method, asked.path) == ("CONNECT", f"{HOOK}:443")
    assert asked.headers["proxy-authorization"] == "Basic cm9ib3Q6b3BlbnNlc2FtZQ=="
    assert names.asked == []
    assert "proxy-authorization" not in server.seen[0].headers


def test_what_is_inside_is_reached_without_the_proxy() -> None:
    with serve() as server, proxy_to(server.port) as proxy:
        settings = plainly(server, proxy=f"http://127.0.0.1:{proxy.port}")
        for host in ("127.0.0.1", HOOK):
            get(settings, here(server, host), resolve=Names(hook=[["127.0.0.1"]]))
    assert (len(server.seen), proxy.seen) == (2, [])


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "169.254.169.254", "metadata.google.internal", "2130706433", "[::ffff:7f00:1]"],
)
def test_a_proxy_is_no_way_around_the_rules(host: str) -> None:
    with proxy_to(1) as proxy, pytest.raises(OutgoingRefused):
        get(Outgoing(proxy=f"http://127.0.0.1:{proxy.port}"), f"https://{host}/")
    assert proxy.seen == []


def test_proxies_of_the_environment_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serve() as server:
        assert get(plainly(server), here(server)).content == b"hello"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"ca_file": "{}/none.pem"}, "ca_file: .* cannot be used"),
        ({"ca_file": "{}/text"}, "ca_file: .* cannot be used"),
        ({"proxy_password_file": "{}/none"}, "proxy_password_file: .* cannot be read"),
        ({"proxy_password_file": "{}/text"}, "has no user:password"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_mistake_in_the_settings(
    tmp_path: Path, settings: dict[str, str], why: str
) -> None:
    (tmp_path / "text").write_text("what is this", encoding="utf-8")
    given = {name: value.format(tmp_path) for name, value in settings.items()}
    with pytest.raises(BadSettings, match=why):
        outgoing_client(Outgoing(**given))  # type: ignore[arg-type] # all of these are texts
