"""All that is stored of a person, as a file to hand to them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

Tables = Mapping[str, Sequence[Mapping[str, Any]]]

_README: Final = """\
What Codometer stores about you
===============================

This file was made on {time} for the person whom Codometer calls {person}.

data.json has everything; the CSV files have the same, one for each kind:

{files}
Times are in UTC, costs in US dollars. An empty field means unknown.
What you and coding agents write is stored only where a project was opened for it, and but under
the profile open only where you agreed to it: content.csv says when.
The words themselves, and what your pseudonyms stand for, are only in a copy that you take
yourself, signed in, on your own page.
"""
WHAT: Final = {
    "identities": "the pseudonyms that stand for you, and what they stand for where that is kept",
    "teams": "which team you belong to, where an administrator said so, from when until when",
    "origins": "the sessions in which you used a coding agent, and from where",
    "events": "single requests, tool calls and the like, as long as they are kept",
    "readings": "where the counters of your client stood, as long as that is kept",
    "days": "what your use adds up to, by day and session",
    "content": "what is kept of what you and coding agents wrote, without secrets and names",
    "consents": "what you agreed to, and until when",
    "requests": "what you asked for, in your words, and what was decided",
    "looks": "who looked at what is stored about you, and why",
}
"""What each table holds, in words for whom it is about."""
_UNSAFE: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


def make_archive(person: str, tables: Tables, time: datetime) -> bytes:
    """Return a ZIP file with the tables as JSON and as CSV, and a text that explains them."""
    files = "".join(f"{name}.csv  {WHAT[name]}\n" for name in tables)
    readme = _README.format(time=f"{time:%Y-%m-%d %H:%M} UTC", person=person, files=files)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", readme)
        archive.writestr("data.json", json.dumps(tables, default=str, indent=1))
        for name, rows in tables.items():
            archive.writestr(f"{name}.csv", write_csv(rows))
    return packed.getvalue()


def write_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV, with the names of the first in its head line; "" where there are none."""
    written = io.StringIO()
    if rows:
        writer = csv.DictWriter(written, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return written.getvalue()


def _cell(value: object) -> str:
    """Write a value so that no spreadsheet takes it for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_UNSAFE) else text
