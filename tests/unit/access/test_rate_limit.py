from dataclasses import dataclass

import pytest

from codometer.access import rate_limit
from codometer.access.rate_limit import RateLimit


@dataclass
class Clock:
    seconds: float = 0

    def __call__(self) -> float:
        return self.seconds


def test_so_many_at_once_and_no_more() -> None:
    limit = RateLimit(3, 60, now=Clock())
    assert [limit.take("a") for _ in range(5)] == [True, True, True, False, False]
    assert limit.take("b")


def test_it_fills_up_again_with_time() -> None:
    clock = Clock()
    limit = RateLimit(3, 60, now=clock)
    for _ in range(5):
        limit.take("a")
    clock.seconds = 19
    assert not limit.has_room("a")
    clock.seconds = 20
    assert limit.has_room("a")
    assert limit.has_room("a")
    assert limit.take("a")
    assert not limit.take("a")
    clock.seconds = 10_000
    assert [limit.take("a") for _ in range(4)] == [True, True, True, False]


def test_keys_without_end_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "_MOST_KEYS", 10)
    limit = RateLimit(1, 60, now=Clock())
    for number in range(50):
        limit.take(str(number))
    assert not limit.has_room("49")
    assert limit.has_room("1")
