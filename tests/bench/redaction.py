"""How fast content is redacted: what clients sent, code, and texts that are made to be slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from codometer.intake.receivers.otlp_content import read_content
from codometer.privacy.policy import CONTENT_PARTS
from codometer.privacy.redaction import Redactor
from tests import capture
from tests.architecture.source import PACKAGE
from tests.bench.results import Results

_BYTES: Final = 1_000_000
_SECRET: Final = b"k" * 32
_HOSTILE: Final = ("eyJ", "a@", "://a", "DE89 ", "4111", "-----BEGIN RSA PRIVATE KEY-----", "a:")


def measure_redaction(results: Results) -> None:
    """Redact texts of each kind, each as often as comes to a megabyte, and take the best."""
    texts = {
        "recorded": [*_recorded()],
        "code": [path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))],
        "hostile": [piece * (65_536 // len(piece)) for piece in _HOSTILE],
    }
    for name, some in texts.items():
        results.tell(f"redaction: {name}")
        best = max(_measure(some) for _ in range(results.scale.rounds))
        results.add("redaction", name, megabytes_a_second=best)


def _recorded() -> Iterator[str]:
    for name in capture.NAMES:
        for recorded in capture.recorded(name):
            for written in read_content(recorded.export(), CONTENT_PARTS):
                yield from (each.text for each in written)


def _measure(texts: list[str]) -> float:
    redactor = Redactor(_SECRET)
    began, done = time.process_time(), 0
    while done < _BYTES:
        for text in texts:
            redactor.redact(text)
            done += len(text)
    return done / 1e6 / (time.process_time() - began)
