"""Where the server may send to, by the address alone."""

import pytest

from codometer.networks import find_address
from codometer.outgoing.rules import OutgoingRefused, Rules
from codometer.settings import Outgoing

USUAL = Rules.of(Outgoing())


def check(address: str, rules: Rules = USUAL) -> None:
    found = find_address(address)
    assert found is not None
    rules.check_address("hook.example", found)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_an_address_of_the_internet_may_be_reached(address: str) -> None:
    check(address)


INSIDE = [
    "0.0.0.0",  # noqa: S104 - to be refused
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused(address: str) -> None:
    with pytest.raises(OutgoingRefused, match="not on the Internet") as refused:
        check(address)
    assert "outgoing.allow" in refused.value.hint


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_may_be_allowed_by_its_network_and_by_the_name(address: str) -> None:
    check(address, Rules.of(Outgoing(allow=("0.0.0.0/0", "::/0"))))
    check(address, Rules.of(Outgoing(allow=("Hook.Example",))))


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::a9fe:a9fe%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ],
)
def test_what_a_cloud_tells_its_machines_is_never_asked_for(address: str) -> None:
    for allow in ((), ("0.0.0.0/0", "::/0"), ("hook.example",)):
        with pytest.raises(OutgoingRefused, match="where a cloud keeps keys"):
            check(address, Rules.of(Outgoing(allow=allow)))


@pytest.mark.parametrize(
    "url",
    [
        "https://hook.example/path?token=1",
        "https://hook.example:8443/",
        "https://1.1.1.1/",
        "https://bücher.example/",
        "https://hook.example./",
    ],
)
def test_an_address_with_tls_is_taken(url: str) -> None:
    USUAL.check_url(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hook.example/", "without TLS"),
        ("ftp://hook.example/", "begins with ftp"),
        ("file:///etc/passwd", "begins with file"),
        ("gopher://127.0.0.1:25/", "begins with gopher"),
        ("hook.example", "begins with nothing"),
        ("https:///path", "names no host"),
        ("https://user:secret@hook.example/", "user or password"),
        ("https://user@hook.example/", "user or password"),
        ("https://hook.example:22/", "port 22"),
        ("https://hook.example:80/", "port 80"),
        ("https://127.0.0.1/", "not on the Internet"),
        ("https://[::1]/", "not on the Internet"),
        ("https://[::ffff:127.0.0.1]/", "not on the Internet"),
        ("https://127.0.0.1./", "not on the Internet"),
        ("https://[fe80::1]/", "where a cloud keeps keys"),
        ("https://metadata.google.internal/", "tells of the machine itself"),
        ("https://METADATA.google.internal./", "tells of the machine itself"),
    ],
)
def test_an_address_against_the_rules_is_refused_and_says_which(url: str, why: str) -> None:
    with pytest.raises(OutgoingRefused, match=why):
        USUAL.check_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "1.0x7f",
        "0x",
    ],
)
def test_an_address_in_another_spelling_is_refused(host: str) -> None:
    everything = Rules.of(Outgoing(allow=("0.0.0.0/0",)))
    with pytest.raises(OutgoingRefused, match=r"a spelling of its own|it is no address"):
        everything.check_url(f"https://{host}/")


def test_digits_of_other_scripts_are_no_address() -> None:
    with pytest.raises(OutgoingRefused, match="it is no address"):
        USUAL.check_url("https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/")


def test_what_is_listed_is_allowed() -> None:
    rules = Rules.of(
        Outgoing(
            allow=("10.1.0.0/16", "Git.example"), plain=("git.example",), ports=("443", "3000")
        )
    )
    for url in ("http://git.example/", "http://git.example:3000/", "https://10.1.2.3:3000/"):
        rules.check_url(url)
    for url in ("http://10.1.2.3/", "https://10.2.0.1/", "https://git.example:8443/"):
        with pytest.raises(OutgoingRefused):
            rules.check_url(url)


def test_a_refusal_does_not_tell_the_rest_of_the_address() -> None:
    with pytest.raises(OutgoingRefused) as refused:
        USUAL.check_url("http://hooks.example/services/T0/B0/secret?key=secret")
    assert "secret" not in refused.value.message + refused.value.hint
