import json
import re
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest

from tools.supply import (
    LOCK,
    Pin,
    find_licence,
    is_allowed,
    list_faults,
    make_bill,
    read_pins,
)

LOCKED: Final = LOCK.read_text(encoding="utf-8")


def pin(name: str, version: str, marker: str = "") -> Pin:
    return Pin(name=name, version=version, marker=marker, hashes=("0" * 64,))


def test_every_pin_of_the_lock_is_read() -> None:
    pins = read_pins(LOCKED)
    assert len(pins) == len(re.findall(r"^[a-z0-9].*==", LOCKED, re.MULTILINE))
    assert sum(len(each.hashes) for each in pins) == LOCKED.count("--hash=")
    assert {each.name for each in pins if each.marker} >= {"uvloop"}


def test_all_that_runs_with_codometer_has_a_licence_that_is_allowed() -> None:
    assert list(list_faults(read_pins(LOCKED))) == []


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: MIT OR Apache-2.0"], "MIT OR Apache-2.0"),
        (["Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (
            ["License: BSD-3-Clause", "Classifier: License :: OSI Approved :: BSD License"],
            "BSD-3-Clause",
        ),
        (["License: MIT License"], "MIT"),
        (["License: ask us"], None),
        (
            [
                "Classifier: License :: OSI Approved :: MIT License",
                "Classifier: License :: Other/Proprietary License",
            ],
            None,
        ),
        ([], None),
    ],
)
def test_a_licence_is_read_as_packages_say_it(
    tmp_path: Path, lines: list[str], licence: str | None
) -> None:
    said = "\n".join(["Metadata-Version: 2.4", "Name: x", "Version: 1", *lines, "", ""])
    (tmp_path / "METADATA").write_text(said, encoding="utf-8")
    assert find_licence(metadata.PathDistribution(tmp_path).metadata) == licence


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT AND BSD-3-Clause) OR GPL-3.0-only", True),
        ("Apache-2.0 WITH something", False),
    ],
)
def test_a_licence_is_allowed_if_one_way_through_it_is(expression: str, allowed: object) -> None:
    assert is_allowed(expression) is allowed


def test_faults_are_named() -> None:
    faults = list(
        list_faults(
            [
                pin("nowhere-to-be-found", "1"),
                pin("starlette", "0.0.1"),
                pin("codespell", metadata.version("codespell")),
                pin("of-another-system", "1", "sys_platform == 'none'"),
            ]
        )
    )
    assert len(faults) == 3
    assert faults[0] == "nowhere-to-be-found is pinned and not installed"
    assert faults[1].endswith("and pinned to 0.0.1")
    assert "codespell has the licence GPL" in faults[2]


def test_the_bill_names_every_pin_and_what_needs_it_and_is_the_same_again() -> None:
    pins = read_pins(LOCKED)
    bill = make_bill(pins)
    assert make_bill(pins) == bill
    told = json.loads(bill)
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert {each["name"] for each in told["components"]} == {each.name for each in pins}
    assert all(each["hashes"] for each in told["components"])
    needs = {each["ref"]: each.get("dependsOn", []) for each in told["dependencies"]}
    starlette = f"pkg:pypi/starlette@{metadata.version('starlette')}"
    assert starlette in needs["codometer"]
    assert f"pkg:pypi/anyio@{metadata.version('anyio')}" in needs[starlette]
    other = make_bill([*pins[:-1], pin(pins[-1].name, "999")])
    assert json.loads(other)["serialNumber"] != told["serialNumber"]
