import pytest

from codometer.access.actor import truncate_address


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("testclient", ""),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_kept_without_its_host(address: str, network: str) -> None:
    assert truncate_address(address) == network
