"""The documents of security name tests that exist, and nothing twice."""

import ast
import re
from collections import Counter
from functools import cache
from typing import Final

import pytest

from tests.architecture.source import ROOT

VERIFICATION: Final = (ROOT / "docs" / "security" / "verification.md").read_text(encoding="utf-8")
NAMED: Final = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", VERIFICATION)))
ITEMS: Final = re.findall(r"^\| ([\d., –]+) \|", VERIFICATION, re.MULTILINE)


@cache
def list_tests(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name for function in found if function.name.startswith("test_")}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_shows_an_item_exists(path: str, name: str) -> None:
    assert name in list_tests(path)


def test_every_item_is_told_once_and_shown_by_a_test_or_said_not_to_be_met() -> None:
    assert len(ITEMS) > 60
    assert [item for item, count in Counter(ITEMS).items() if count > 1] == []
    met = VERIFICATION.partition("## What is not met")[0]
    rows = re.findall(r"^\| [\d., –]+ \|.*$", met, re.MULTILINE)
    assert [row for row in rows if "`tests/" not in row] == []
