"""The colours can be read, and told apart, in both themes and by every kind of eye."""

import math
import re
from itertools import combinations
from typing import Final

import pytest

from codometer.serve.web.assets import STATIC

Colour = tuple[float, float, float]
"""Red, green and blue of light, each from 0 to 1."""

THEMES: Final = ("light", "dark")
SERIES: Final = ("s1", "s2", "s3", "s4", "so")
_TOKEN: Final = re.compile(r"--([\w-]+): light-dark\((#[0-9A-F]{6}), (#[0-9A-F]{6})\)")
_STYLE: Final = (STATIC / "app.css").read_text(encoding="utf-8")

# Machado, Oliveira and Fernandes (2009), severity 1.0, for light: what each kind of eye sees.
# https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/CVD_Simulation.html (2026-11)
SIGHTS: Final = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def light_of(text: str) -> Colour:
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return linear(red), linear(green), linear(blue)


TOKENS: Final = {
    theme: {match[1]: light_of(match[2 + at]) for match in _TOKEN.finditer(_STYLE)}
    for at, theme in enumerate(THEMES)
}


def contrast(one: Colour, other: Colour) -> float:
    """As WCAG 2.2 defines it."""
    lower, higher = sorted(0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] for c in (one, other))
    return (higher + 0.05) / (lower + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_on_every_surface(theme: str) -> None:
    tokens = TOKENS[theme]
    pairs = [(text, on) for text in ("ink", "ink-2", "ink-3") for on in ("sheet", "canvas")]
    pairs += [("accent-ink", on) for on in ("sheet", "canvas", "wash")]
    pairs += [(state, on) for state in ("bad", "warn", "ok") for on in ("sheet", f"{state}-wash")]
    pairs += [("ink", "wash"), ("ink-2", "h0"), ("ink-3", "raise"), ("on-accent", "accent")]
    found = {pair: contrast(tokens[pair[0]], tokens[pair[1]]) for pair in pairs}
    assert {pair: value for pair, value in found.items() if value < 4.5} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_marks_and_borders_of_fields_stand_out(theme: str) -> None:
    tokens = TOKENS[theme]
    found = {
        name: contrast(tokens[name], tokens["sheet"])
        for name in (*SERIES, "accent", "prev", "field", "bad", "ok", "warn")
    }
    assert {name: value for name, value in found.items() if value < 3} == {}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", THEMES)
def test_no_two_series_look_alike(theme: str, sight: str) -> None:
    seen = {name: _oklab(_seen(TOKENS[theme][name], SIGHTS[sight])) for name in SERIES}
    distances = {
        pair: 100 * math.dist(seen[pair[0]], seen[pair[1]]) for pair in combinations(SERIES, 2)
    }
    assert min(distances.values()) >= 9, distances


def test_only_the_tokens_name_a_colour() -> None:
    rules = _STYLE[_STYLE.index(":root[data-theme") :]
    assert re.findall(r"#[0-9A-Fa-f]{3,8}\b|rgba?\(", rules) == ["#FFFFFF"]  # the paper, in print


def _seen(colour: Colour, by: tuple[Colour, ...]) -> Colour:
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, colour, strict=True)))) for row in by
    )
    return red, green, blue


def _oklab(colour: Colour) -> Colour:
    """https://bottosson.github.io/posts/oklab/ (2026-11)"""
    red, green, blue = colour
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )
