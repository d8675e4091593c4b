from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from codometer.serve.web.recent import AGE, Recent

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


def test_what_was_found_is_shared_for_a_minute() -> None:
    recent, find = Recent[str, int](), Counter()
    assert [recent.get("a", find, now=NOW), recent.get("a", find, now=NOW)] == [1, 1]
    assert recent.get("a", find, now=NOW + AGE - timedelta(seconds=1)) == 1
    assert recent.get("a", find, now=NOW + AGE) == 2
    assert recent.get("b", find, now=NOW) == 3


def test_a_clock_that_went_back_makes_nothing_last_longer() -> None:
    recent, find = Recent[str, int](), Counter()
    recent.get("a", find, now=NOW)
    assert recent.get("a", find, now=NOW - timedelta(hours=1)) == 2


def test_a_fault_is_not_remembered() -> None:
    recent = Recent[str, int]()

    def fail() -> int:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        recent.get("a", fail, now=NOW)
    assert recent.get("a", Counter(), now=NOW) == 1


def test_only_the_keys_used_last_are_kept() -> None:
    recent, find = Recent[int, int](), Counter()
    recent.get(0, find, now=NOW)
    for key in range(1, 256):
        recent.get(key, find, now=NOW)
    recent.get(0, find, now=NOW)
    recent.get(256, find, now=NOW)
    assert recent.get(0, find, now=NOW) == 1
    assert recent.get(1, find, now=NOW) == 258


def test_those_who_want_the_same_at_one_time_wait_for_one_of_them() -> None:
    recent, find, begun, go_on = Recent[str, int](), Counter(), Event(), Event()

    def find_slowly() -> int:
        begun.set()
        assert go_on.wait(20)
        return find()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(recent.get, "a", find_slowly, now=NOW)
        assert begun.wait(20)
        second = threads.submit(recent.get, "a", find, now=NOW)
        assert recent.get("b", lambda: 7, now=NOW) == 7  # others need not wait
        go_on.set()
        assert [first.result(20), second.result(20)] == [1, 1]
