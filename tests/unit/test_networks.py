"""IP addresses and the networks they are in."""

import pytest

from codometer.networks import find_neighbourhood


@pytest.mark.parametrize(
    ("address", "neighbourhood"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a name", "a name"),
        ("", ""),
    ],
)
def test_one_client_has_one_neighbourhood_however_many_addresses_it_takes(
    address: str, neighbourhood: str
) -> None:
    assert find_neighbourhood(address) == neighbourhood
