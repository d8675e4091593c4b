import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.serve.web.charts.scale import make_scale


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (3_328.24, [0, 1000, 2000, 3000, 4000]),
        (4_000, [0, 1000, 2000, 3000, 4000]),
        (4_001, [0, 2000, 4000, 6000]),
        (9, [0, 2.5, 5, 7.5, 10]),
        (0.07, [0, 0.02, 0.04, 0.06, 0.08]),
        (0.3, [0, 0.1, 0.2, 0.3]),
        (0, [0, 0.25, 0.5, 0.75, 1]),
    ],
)
def test_ticks_are_round(highest: float, ticks: list[float]) -> None:
    assert make_scale(highest).ticks == pytest.approx(ticks)


def test_counts_have_no_ticks_between_them() -> None:
    assert make_scale(2, whole=True).ticks == (0, 1, 2)
    assert make_scale(9, whole=True).ticks == (0, 3, 6, 9)


def test_an_axis_may_begin_above_zero() -> None:
    scale = make_scale(0.84, lowest=0.71)
    assert scale.ticks == pytest.approx([0.7, 0.75, 0.8, 0.85])
    assert scale.share(0.775) == pytest.approx(0.5)
    assert make_scale(5, lowest=5).ticks == (4, 6, 8, 10)


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_the_axis_holds_every_value_and_wastes_little(highest: float) -> None:
    scale = make_scale(highest)
    assert scale.low == 0
    assert highest <= scale.high * (1 + 1e-9)
    assert scale.high - scale.step < highest
    assert 2 <= len(scale.ticks) <= 6
