"""How a count meets its noun, on pages, in the terminal and in messages."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Write a count with its noun: `1 session`, `2,000 sessions`; `many` where no `s` is enough."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
