from decimal import Decimal

import pytest
from markupsafe import Markup

from codometer.analysis.numbers import format_axis, format_money_exact
from codometer.serve.web.charts import Axis, Series, key, stacked_columns
from tests.unit.serve.web.charts.drawing import lengths, parse, table, texts, with_class

AXIS = Axis(
    labels=("Thu 12 Nov, unusual", "Fri 13 Nov", "Sat 14 Nov", "Sun 15 Nov, so far"),
    shown={0: "12 Nov"},
    running=(3,),
    unusual=(0,),
)
OPUS = Series(name="Opus", css="s1", values=(Decimal("2442.09"), 1000, None, 100))
SONNET = Series(name="Sonnet", css="s2", values=(Decimal("650.92"), None, None, 0))


def draw(*series: Series, axis: Axis = AXIS) -> Markup:
    return stacked_columns(
        title="Spend per day",
        axis=axis,
        series=series,
        write_tick=lambda value: format_axis(value, "money"),
        write_value=format_money_exact,
    )


def test_parts_stand_on_each_other_from_zero() -> None:
    root = parse(draw(OPUS, SONNET))
    opus, sonnet = with_class(root, "s1")[0], with_class(root, "s2")[0]
    y, height = lengths(opus, "y", "height")
    assert [y + height, height] == pytest.approx([100, 2442.09 / 40], abs=0.01)
    above, part = lengths(sonnet, "y", "height")
    assert above + part == pytest.approx(y, abs=0.011)
    assert part == pytest.approx(650.92 / 40, abs=0.01)


def test_columns_are_spread_evenly_and_do_not_touch() -> None:
    opus = with_class(parse(draw(OPUS)), "s1")
    lefts = [lengths(rect, "x")[0] for rect in opus if rect.tag == "rect"]
    assert lefts == [5.5, 30.5, 80.5]
    assert lengths(opus[0], "width") == [14]
    many = Axis(labels=["day"] * 28, shown={})
    (first, *_) = with_class(
        parse(draw(Series(name="n", css="s1", values=[1] * 28), axis=many)), "s1"
    )
    assert lengths(first, "x", "width") == pytest.approx([0.5, 2.57])


def test_the_axis_is_labelled_at_round_values() -> None:
    root = parse(draw(OPUS, SONNET))
    assert texts(root, "ya") == ["$0", "$1k", "$2k", "$3k", "$4k"]
    assert texts(root, "xa") == ["12 Nov"]
    (axis,) = with_class(root, "ya")
    assert [lengths(text, "y")[0] for text in axis] == [100, 75, 50, 25, 0]
    assert len(with_class(root, "g")) == 4
    assert len(with_class(root, "g0")) == 1


def test_a_day_without_data_is_a_gap_and_dashes() -> None:
    root = parse(draw(OPUS, SONNET))
    assert len(list(root.iter("g"))) == 3
    assert table(root)[3] == ["Sat 14 Nov", "–", "–", "–"]


def test_a_running_day_is_faded_and_an_unusual_one_ringed() -> None:
    root = parse(draw(OPUS, SONNET))
    assert [each.get("class") for each in root.iter("g")] == [None, None, "part"]
    (ring,) = with_class(root, "anom")
    cx, cy = lengths(ring, "cx", "cy")
    assert [cx, cy] == pytest.approx([12.5, 100 - 3093.01 / 40], abs=0.01)
    assert "".join(ring.itertext()) == table(root)[1][0] == "Thu 12 Nov, unusual"


def test_a_ring_has_room_below_the_top() -> None:
    axis = Axis(labels=("a", "b"), shown={}, unusual=(0, 1))
    (ring, low) = with_class(
        parse(draw(Series(name="n", css="s1", values=(4000, None)), axis=axis)), "anom"
    )
    assert lengths(ring, "cy") == [pytest.approx(100 - 4000 / 60, abs=0.01)]
    assert lengths(low, "cy") == [100]


def test_the_table_has_every_value_to_the_cent_and_the_total() -> None:
    root = parse(draw(OPUS, SONNET))
    assert table(root)[:2] == [
        ["Date", "Opus", "Sonnet", "Total"],
        ["Thu 12 Nov, unusual", "$2,442.09", "$650.92", "$3,093.01"],
    ]
    heads = [cell.get("data-k") for cell in next(root.iter("tr"))]
    assert heads == [None, "s1", "s2", "total"]
    assert table(parse(draw(OPUS)))[0] == ["Date", "Opus"]


def test_a_chart_has_a_name_and_takes_the_focus() -> None:
    root = parse(draw(OPUS))
    assert (root.get("data-n"), root.get("data-mode")) == ("4", "band")
    (plot,) = with_class(root, "pl")
    assert (plot.get("role"), plot.get("tabindex")) == ("img", "0")
    assert plot.get("aria-label", "").startswith("Spend per day. ")


def test_every_label_is_escaped() -> None:
    name = '<script>alert("&")</script>'
    axis = Axis(labels=(name,), shown={0: name}, name=name, unusual=(0,))
    chart = draw(Series(name=name, css="s1", values=(1,)), axis=axis)
    assert "<script" not in chart
    root = parse(chart)
    assert table(root) == [[name, name], [name, "$1.00"]]
    assert texts(root, "xa") == [name]


def test_nothing_at_all_leaves_an_empty_axis() -> None:
    root = parse(
        draw(Series(name="n", css="s1", values=(None,)), axis=Axis(labels=("a",), shown={}))
    )
    assert texts(root, "ya")[0] == "$0"
    assert not list(root.iter("rect"))


def test_a_key_names_the_colours_in_stacking_order() -> None:
    root = parse(key([("Opus <4>", "s1"), ("Unusual", "ring")]))
    assert [each[0].get("class") for each in root] == ["s1", "ring"]
    assert ["".join(each.itertext()) for each in root] == ["Opus <4>", "Unusual"]
