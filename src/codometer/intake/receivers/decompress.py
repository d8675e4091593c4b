"""Compressed bodies, inflated a piece at a time so that a bomb never gets to swell.

A few hundred kilobytes of gzip can hold gigabytes. Here the size is counted
while the body inflates, and what takes longer happens in a thread.
"""

from __future__ import annotations

import asyncio
import zlib
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Final, Protocol

import zstandard

from codometer.errors import Malformed, TooLarge
from codometer.intake.limits import Share

_PIECE: Final = 1024 * 1024

# gzip bodies may have several members. Nobody sends many, and an empty one
# costs more time than the 20 bytes it takes to send.
_MOST_MEMBERS: Final = 100

# Their own threads: a queue of bombs must not keep commits waiting for one.
_THREADS: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="inflate")


class Compression(StrEnum):
    """The content encodings that we undo, by their names in HTTP and gRPC."""

    GZIP = "gzip"
    DEFLATE = "deflate"
    ZSTD = "zstd"


async def inflate(
    body: bytes, compression: Compression, *, share: Share, limit_bytes: int
) -> bytes:
    """Return the body inflated; whatever exceeds a megabyte is done in a thread.

    An empty body stays empty, though no encoding has so short a form.

    Raises:
        Malformed: it is not what its encoding says, or it ends too early.
        TooLarge: it would be more than `limit_bytes`.
        Overloaded: `share` cannot grow.
    """
    if not body:
        return b""
    reader = _Reader(body, compression)
    loop = asyncio.get_running_loop()
    pieces: list[bytes] = []
    size = 0
    while True:
        if max(len(body), size) < _PIECE:
            piece = reader.read()
        else:
            piece = await loop.run_in_executor(_THREADS, reader.read)
        if not piece:
            return b"".join(pieces)
        size += len(piece)
        if size > limit_bytes:
            raise TooLarge(f"the body is over {limit_bytes} bytes when decompressed")
        await share.grow(len(piece))
        pieces.append(piece)


class _Stream(Protocol):
    """One gzip member, zlib stream or zstd frame while it inflates."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what came out, and what must be fed again."""


class _Reader:
    def __init__(self, body: bytes, compression: Compression) -> None:
        self._body = memoryview(body)
        self._at = 0
        self._again = b""
        self._members = 1
        self._compression = compression
        self._zlib_bits = _zlib_bits(compression, body)
        self._stream = self._new_stream()
        self._slice_bytes = _ZstdStream.SLICE if compression is Compression.ZSTD else 64 * 1024

    def read(self) -> bytes:
        """Return about a megabyte, at most a few, or b"" at the end."""
        pieces: list[bytes] = []
        size = 0
        while size < _PIECE:
            if self._stream.eof and not self._next_member():
                break
            data = self._again or bytes(self._body[self._at : self._at + self._slice_bytes])
            if not self._again:
                self._at += len(data)
            try:
                piece, self._again = self._stream.feed(data)
            except (zlib.error, zstandard.ZstdError) as error:
                raise Malformed("the body does not decompress") from error
            if not data and not piece and not self._stream.eof:
                raise Malformed("the compressed body ends too early")
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def _next_member(self) -> bool:
        self._at -= len(self._stream.unused_data)
        if self._at == len(self._body):
            return False
        self._members += 1
        if self._compression is Compression.DEFLATE or self._members > _MOST_MEMBERS:
            raise Malformed("there is something after the compressed body")
        self._stream = self._new_stream()
        return True

    def _new_stream(self) -> _Stream:
        if self._compression is Compression.ZSTD:
            return _ZstdStream()
        return _ZlibStream(self._zlib_bits)


class _ZlibStream:
    def __init__(self, bits: int) -> None:
        self._inflater = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        piece = self._inflater.decompress(data, _PIECE)
        return piece, self._inflater.unconsumed_tail


class _ZstdStream:
    # This library cannot be told to stop early. A zstd block takes at least
    # 4 bytes and gives at most 128 KiB (RFC 8878, 3.1.1.2), so 128 bytes give
    # 4 MiB at the most.
    SLICE: Final = 128
    _WINDOW: Final = 8 * 1024 * 1024  # what RFC 8878, 3.1.1.1.2 asks a decoder to support

    def __init__(self) -> None:
        self._inflater = zstandard.ZstdDecompressor(max_window_size=self._WINDOW).decompressobj()

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        return self._inflater.decompress(data), b""


def _zlib_bits(compression: Compression, body: bytes) -> int:
    """Return zlib's number for gzip (31), deflate (15) or, as some send it, deflate bare (-15)."""
    if compression is Compression.GZIP:
        return 31
    # RFC 1950, 2.2: the method, 8, in the low half, and the two bytes divide by 31.
    has_header = body[:1].hex()[1:] == "8" and int.from_bytes(body[:2]) % 31 == 0
    return 15 if has_header else -15
