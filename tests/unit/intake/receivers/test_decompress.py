import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Final

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from codometer.errors import Malformed, Overloaded, TooLarge
from codometer.intake.limits import ByteBudget
from codometer.intake.receivers.decompress import Compression, inflate

MIB: Final = 2**20


def _deflate_bare(body: bytes) -> bytes:
    return zlib.compress(body, wbits=-15)


WRITERS: Final[list[tuple[Compression, Callable[[bytes], bytes]]]] = [
    (Compression.GZIP, gzip.compress),
    (Compression.DEFLATE, zlib.compress),
    (Compression.DEFLATE, _deflate_bare),
    (Compression.ZSTD, zstandard.compress),
    (Compression.ZSTD, zstandard.ZstdCompressor(write_content_size=False).compress),
]


class Inflate:
    """`inflate`, run to its end, with a check that its share is what it says."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner

    def __call__(
        self,
        body: bytes,
        compression: Compression,
        *,
        limit_bytes: int = 64 * MIB,
        budget_bytes: int = 256 * MIB,
    ) -> bytes:
        return self._runner.run(_inflate(body, compression, limit_bytes, ByteBudget(budget_bytes)))


async def _inflate(
    body: bytes, compression: Compression, limit_bytes: int, budget: ByteBudget
) -> bytes:
    with budget.share() as share:
        inflated = await inflate(body, compression, share=share, limit_bytes=limit_bytes)
        assert budget.used_bytes == len(inflated)
    assert budget.used_bytes == 0
    return inflated


@pytest.fixture(scope="module")
def run() -> Iterator[Inflate]:
    with asyncio.Runner() as runner:
        yield Inflate(runner)


def make_body(size: int) -> bytes:
    return (b"claude_code.api_request " * (size // 20 + 1))[:size]


@pytest.mark.parametrize(("compression", "write"), WRITERS)
@pytest.mark.parametrize("size", [1, 64 * 1024, MIB, MIB + 1, 3 * MIB])
def test_a_body_inflates_to_what_it_was(
    run: Inflate, compression: Compression, write: Callable[[bytes], bytes], size: int
) -> None:
    body = make_body(size)
    assert run(write(body), compression) == body


@given(body=st.binary(max_size=500), pick=st.sampled_from(WRITERS))
def test_any_bytes_survive(
    run: Inflate, body: bytes, pick: tuple[Compression, Callable[[bytes], bytes]]
) -> None:
    compression, write = pick
    assert run(write(body), compression) == body


@pytest.mark.parametrize("compression", Compression)
def test_an_empty_body_needs_no_wrapping(run: Inflate, compression: Compression) -> None:
    assert run(b"", compression) == b""


@pytest.mark.parametrize(("compression", "write"), WRITERS)
def test_a_body_of_exactly_the_limit_is_taken(
    run: Inflate, compression: Compression, write: Callable[[bytes], bytes]
) -> None:
    body = make_body(3 * MIB)
    assert run(write(body), compression, limit_bytes=len(body)) == body
    with pytest.raises(TooLarge, match="when decompressed"):
        run(write(body), compression, limit_bytes=len(body) - 1)


@pytest.mark.parametrize(("compression", "write"), WRITERS)
def test_a_bomb_stops_at_the_limit(
    run: Inflate, compression: Compression, write: Callable[[bytes], bytes]
) -> None:
    bomb = write(bytes(30 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            run(bomb, compression, limit_bytes=2 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 14 * MIB  # the limit, a piece, and what the last slice gave


@pytest.mark.parametrize(("compression", "write"), WRITERS)
def test_a_body_that_is_cut_off_is_refused(
    run: Inflate, compression: Compression, write: Callable[[bytes], bytes]
) -> None:
    whole = write(make_body(2 * MIB))
    for length in (1, 2, len(whole) // 2, len(whole) - 1):
        with pytest.raises(Malformed):
            run(whole[:length], compression)


@pytest.mark.parametrize("compression", Compression)
@given(body=st.binary(min_size=1, max_size=200))
def test_garbage_is_refused_or_inflates_but_never_fails_otherwise(
    run: Inflate, compression: Compression, body: bytes
) -> None:
    try:
        inflated = run(body, compression, limit_bytes=MIB)
    except (Malformed, TooLarge):
        return
    assert isinstance(inflated, bytes)


@pytest.mark.parametrize(("compression", "write"), WRITERS)
@given(data=st.data())
def test_a_damaged_body_is_refused_or_inflates_but_never_fails_otherwise(
    run: Inflate, compression: Compression, write: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    whole = bytearray(write(make_body(3000)))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        run(bytes(whole), compression, limit_bytes=MIB)
    except (Malformed, TooLarge):
        return


@pytest.mark.parametrize(("compression", "write"), [(Compression.GZIP, gzip.compress), WRITERS[3]])
def test_several_members_are_one_body(
    run: Inflate, compression: Compression, write: Callable[[bytes], bytes]
) -> None:
    assert run(write(b"one ") + write(b"") + write(b"two"), compression) == b"one two"


def test_thousands_of_empty_members_are_not_worth_our_time(run: Inflate) -> None:
    with pytest.raises(Malformed, match="after the compressed body"):
        run(gzip.compress(b"") * 10_000, Compression.GZIP)


@pytest.mark.parametrize(("compression", "write"), WRITERS)
def test_something_after_the_body_is_refused(
    run: Inflate, compression: Compression, write: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(Malformed):
        run(write(b"body") + b"more", compression)


def test_inflating_draws_on_the_budget(run: Inflate) -> None:
    with pytest.raises(Overloaded):
        run(gzip.compress(bytes(40 * MIB)), Compression.GZIP, budget_bytes=16 * MIB)
