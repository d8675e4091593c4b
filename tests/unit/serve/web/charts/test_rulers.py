import pytest

from codometer.analysis.numbers import format_axis
from codometer.serve.web.charts import Outlook, meter, ruler
from tests.unit.serve.web.charts.drawing import lengths, parse, with_class


def write(tick: object) -> str:
    return format_axis(tick, "money")  # type: ignore[arg-type]


def test_a_ruler_shows_amount_range_and_expected_end_on_one_scale() -> None:
    outlook = Outlook(expected=48_846, low=46_745, high=51_386, label="Expected $48.8k")
    root = parse(ruler(title="Spent", amount=34_478, outlook=outlook, write_tick=write))
    assert root.get("aria-label") == "Spent"
    (fill,), (band,), (line,) = (with_class(root, css) for css in ("fill", "fr", "exp"))
    assert lengths(fill, "x", "width") == pytest.approx([0, 34_478 / 600], abs=0.01)
    assert lengths(band, "x", "width") == pytest.approx([46_745 / 600, 4_641 / 600], abs=0.01)
    assert lengths(line, "x1", "x2") == pytest.approx([81.41, 81.41])
    assert [text.text for text in root.iter("text")] == [
        "Expected $48.8k", "$0", "$10k", "$20k", "$30k", "$40k", "$50k", "$60k",
    ]  # fmt: skip
    assert next(root.iter("text")).get("class") == "ac en"
    assert len(with_class(root, "tkm")) == 7
    assert len(with_class(root, "mn")) == 48


def test_an_early_expectation_is_labelled_to_its_right() -> None:
    outlook = Outlook(expected=30, low=20, high=100, label="Expected $30")
    root = parse(ruler(title="Spent", amount=1, outlook=outlook, write_tick=write))
    assert next(root.iter("text")).get("class") == "ac"


@pytest.mark.parametrize("amount", [None, 0, -5])
def test_nothing_spent_is_an_empty_ruler(amount: float | None) -> None:
    root = parse(ruler(title="Spent", amount=amount, outlook=None, write_tick=write))
    (fill,) = with_class(root, "fill")
    assert lengths(fill, "x", "width") == [0, 0]
    assert not with_class(root, "exp")


@pytest.mark.parametrize(("share", "width"), [(0.5, 50), (1.1, 100), (-0.1, 0)])
def test_a_meter_stays_within_its_track(share: float, width: float) -> None:
    (bar,) = with_class(parse(meter(share)), "s1")
    assert lengths(bar, "width") == [width]
