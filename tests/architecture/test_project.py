"""The project's own files agree with each other."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from tests.architecture.source import ROOT

LOCKS: Final = ("requirements.lock", "requirements-dev.lock")
_PIN: Final = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_lock_names_an_index(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert requirements
    assert [one for one in requirements if "--hash=sha256:" not in one] == []
    assert "://" not in text
    assert "index" not in text


def test_both_locks_pin_the_same_versions() -> None:
    runtime, development = (set(_list_pins(lock)) for lock in LOCKS)
    assert runtime - development == set()


def test_every_dependency_is_pinned(project: dict[str, Any]) -> None:
    groups = project["dependency-groups"]
    asked = [*project["project"]["dependencies"], *groups["build"], *groups["dev"]]
    names = {re.split(r"[<>=;\[]", one)[0] for one in asked if isinstance(one, str)}
    assert names - {name for name, _ in _list_pins("requirements-dev.lock")} == set()


def test_the_build_group_is_what_the_build_requires(project: dict[str, Any]) -> None:
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]


def test_every_runtime_dependency_says_why_it_is_here(project: dict[str, Any]) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    names = [re.split("[<>=;]", one)[0] for one in project["project"]["dependencies"]]
    assert [name for name in names if f"| {name} |" not in text] == []


def test_make_alone_lists_every_command() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert set(re.findall(r"^  make (\S+)", listed, re.MULTILINE)) == set(phony[1].split())


def test_no_link_in_a_document_is_broken() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert [link for document in documents for link in _list_broken_links(document)] == []


def _list_pins(lock: str) -> list[tuple[str, str]]:
    return _PIN.findall((ROOT / lock).read_text(encoding="utf-8"))


def _list_broken_links(document: Path) -> list[str]:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    return [
        f"{document.name}: {target}"
        for target in targets
        if "://" not in target and not (document.parent / target).exists()
    ]
