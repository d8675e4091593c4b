import json
from collections.abc import Callable
from typing import Any

import pytest

from codometer.errors import BadSettings
from codometer.pricing.price_file import read_prices

Edit = Callable[[dict[str, Any]], object]


def make_file() -> dict[str, Any]:
    """Return a small file without mistakes."""
    price = {
        "model": "claude-one",
        "effective_from": "2026-01-01",
        "effective_to": None,
        "input": 2,
        "cache_read": 0.1,
        "cache_write_5m": 2.5,
        "cache_write_1h": 4,
        "output": 10,
        "sources": ["page"],
        "confidence": "quoted",
    }
    premium = {
        "name": "regional",
        "factor": 1.1,
        "models": ["claude-one"],
        "sources": ["page"],
        "note": "somewhere",
    }
    return {
        "about": [],
        "unit": "USD per million tokens",
        "checked": "2026-11-22",
        "sources": {"page": "the price page"},
        "confidence": {"quoted": "by others"},
        "prices": [price],
        "premiums": [premium],
    }


def add_price(file: dict[str, Any], **fields: object) -> None:
    file["prices"].append({**file["prices"][0], **fields})


def add_premium(file: dict[str, Any], **fields: object) -> None:
    file["premiums"].append({**file["premiums"][0], **fields})


def read_mistakes(text: str) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        read_prices(text)
    assert caught.value.hint
    return caught.value.message.splitlines()[1:]


def edit_price(**fields: object) -> Edit:
    return lambda file: file["prices"][0].update(fields)


def succeed_price(**fields: object) -> Edit:
    """Close the price on 2026-04-30 and add another."""

    def edit(file: dict[str, Any]) -> None:
        file["prices"][0]["effective_to"] = "2026-04-30"
        add_price(file, effective_to=None, **fields)

    return edit


def edit_premium(**fields: object) -> Edit:
    return lambda file: file["premiums"][0].update(fields)


def test_a_file_without_mistakes_becomes_rows() -> None:
    rows = read_prices(json.dumps(make_file()))
    assert [(row.prices.tier, row.prices.uncached_input) for row in rows] == [
        ("standard", 2_000_000),
        ("standard-regional", 2_200_000),  # 2 x 1.1
    ]
    assert rows[1].prices.source == "page, page"


@pytest.mark.parametrize(
    ("edit", "mistake"),
    [
        (lambda f: f.update(unit="EUR"), "file: unit is 'EUR', expected one of USD per million"),
        (lambda f: f.update(about="x"), "file: about is 'x', expected a list"),
        (lambda f: f.update(sources=["page"]), "file: sources is ['page'], expected keys with"),
        (lambda f: f.pop("checked"), "file: checked is missing"),
        (lambda f: f["prices"][0].pop("output"), "price 1: output is missing"),
        (lambda f: f["prices"].append(7), "price 2: is 7, expected an object"),
        (edit_price(outputs=1), "price 1: outputs is not a field"),
        (edit_price(input=-2), "price 1: input is -2, expected a number above 0"),
        (edit_price(input=0), "price 1: input is 0, expected a number above 0"),
        (edit_price(input=True), "price 1: input is True, expected a number above 0"),
        (edit_price(input="2"), "price 1: input is '2', expected a number above 0"),
        (edit_price(input=float("nan")), "price 1: input is nan, expected a number above 0"),
        (
            edit_price(cache_read=0.0000001),
            "price 1: cache_read is Decimal('1E-7'), expected whole picodollars per token",
        ),
        (edit_price(model=""), "price 1: model is '', expected a text"),
        (edit_price(sources=[]), "price 1: sources is [], expected at least one"),
        (edit_price(sources=["blog"]), "price 1: sources is ['blog'], expected one of page"),
        (edit_price(confidence="sure"), "price 1: confidence is 'sure', expected one of quoted"),
        (edit_price(effective_from="7 Oct"), "price 1: effective_from is '7 Oct', expected a day"),
        (edit_price(effective_to=20261007), "price 1: effective_to is 20261007, expected a day"),
        (edit_price(effective_to="2025-12-31"), "price 1: effective_to is 2025-12-31, expected no"),
        (edit_price(cache_write_1h=2.5), "price 1: cache_write_1h is not above cache_write_5m"),
        (edit_price(apply="no"), "price 1: apply is 'no', expected true or false"),
        (edit_price(speed="slow"), "price 1: speed is 'slow', expected one of fast, normal"),
        (
            edit_price(over_prompt_tokens=True),
            "price 1: over_prompt_tokens is True, expected a whole number above 0",
        ),
        (
            lambda f: add_price(f, speed="fast", over_prompt_tokens=9),
            "price 2: over_prompt_tokens is given, but fast mode has one price for all prompts",
        ),
        (lambda f: f["premiums"][0].pop("note"), "premium 1: note is missing"),
        (edit_premium(name="moon"), "premium 1: name is 'moon', expected one of regional, us"),
        (edit_premium(models=["claude-two"]), "premium 1: models is ['claude-two'], expected one"),
        (
            edit_premium(factor=1.000_000_1),
            "premium 1: claude-one, standard: expected whole picodollars per token",
        ),
        (add_premium, "premium 2: claude-one has it already"),
    ],
)
def test_a_mistake_is_named_with_its_place(edit: Edit, mistake: str) -> None:
    file = make_file()
    edit(file)
    (found,) = [line for line in read_mistakes(json.dumps(file)) if line.startswith(mistake)]
    assert found


@pytest.mark.parametrize(
    ("edit", "mistake"),
    [
        (
            lambda f: add_price(f, effective_from="2026-05-01"),
            "claude-one, standard: two rows hold on 2026-05-01",
        ),
        (
            succeed_price(effective_from="2026-05-02"),
            "claude-one, standard: no row holds on 2026-05-01",
        ),
        (
            lambda f: add_price(f, speed="fast", effective_from=None),
            "claude-one, fast: holds on days without a standard row",
        ),
        (
            succeed_price(over_prompt_tokens=9),
            "claude-one, long: holds on days without a standard row",
        ),
    ],
)
def test_rows_of_one_model_follow_each_other_day_by_day(edit: Edit, mistake: str) -> None:
    file = make_file()
    edit(file)
    assert read_mistakes(json.dumps(file)) == [mistake]


def test_rows_that_follow_each_other_without_a_gap_are_right() -> None:
    file = make_file()
    succeed_price(effective_from="2026-05-01")(file)
    assert len(read_prices(json.dumps(file))) == 4


def test_a_row_that_is_not_applied_may_overlap_but_is_checked() -> None:
    file = make_file()
    add_price(file, apply=False)
    assert len(read_prices(json.dumps(file))) == 2
    file["prices"][1]["output"] = -1
    assert len(read_mistakes(json.dumps(file))) == 1


def test_every_mistake_is_listed_at_once() -> None:
    file = make_file()
    file["prices"][0].update(input=-1, sources=["blog"])
    add_price(file, model="claude-two", input=3, sources=["page"], output=None)
    del file["checked"]
    mistakes = read_mistakes(json.dumps(file))
    assert [line.split(" is ")[0] for line in mistakes[:4]] == [
        "file: checked",
        "price 1: input",
        "price 1: sources",
        "price 2: output",
    ]


def test_text_that_is_not_json_is_one_mistake() -> None:
    (mistake,) = read_mistakes('{"about": ')
    assert mistake.startswith("file: Expecting value")


def test_a_field_given_twice_is_a_mistake() -> None:
    assert read_mistakes('{"input": 2, "input": 3}') == [
        "file: a field is given twice among input, input"
    ]


def test_a_price_is_taken_as_written_and_not_as_a_double() -> None:
    # 0.1 as a double would be 0.1000000000000000055511151231257827
    file = make_file()
    rows = read_prices(json.dumps(file))
    assert rows[0].prices.cache_read == 100_000
