from xml.etree.ElementTree import Element

from codometer.analysis.numbers import Value, format_axis, format_value
from codometer.serve.web.charts import Axis, Series, line_chart, sparkline
from tests.unit.serve.web.charts.drawing import parse, table, texts, with_class

LABELS = ("Mon", "Tue", "Wed", "Thu", "Fri")


def draw(*values: Value, running: tuple[int, ...] = (), lowest: float = 0.0) -> Element:
    return parse(
        line_chart(
            title="Acceptance",
            axis=Axis(labels=LABELS[: len(values)], shown={0: "Mon"}, running=running),
            series=[Series(name="Accepted", css="s1", values=values)],
            write_tick=lambda value: format_axis(value, "ratio"),
            write_value=lambda value: format_value(value, "ratio"),
            lowest=lowest,
        )
    )


def paths(root: Element) -> dict[str, str]:
    return {each.attrib["class"]: each.attrib["d"] for each in root.iter("path")}


def test_a_line_goes_through_its_values() -> None:
    root = draw(0, 0.5, 1, 0.5, 0)
    assert paths(root) == {"ln s1": "M0.0 1000.0L250.0 500.0L500.0 0.0L750.0 500.0L1000.0 1000.0"}
    assert texts(root, "ya") == ["0%", "25%", "50%", "75%", "100%"]
    assert [each.get("class") for each in with_class(root, "xa")[0]] == ["st"]
    assert table(root)[:3] == [["Date", "Accepted"], ["Mon", "0.0%"], ["Tue", "50.0%"]]


def test_missing_values_are_gaps_and_what_stands_alone_is_a_dot() -> None:
    root = draw(1, 1, None, 1, None)
    assert paths(root) == {"ln s1": "M0.0 0.0L250.0 0.0M750.0 0.0L750.0 0.0"}
    assert table(root)[3] == ["Wed", "–"]


def test_the_way_to_what_is_not_over_is_faded() -> None:
    root = draw(1, 1, 1, 1, 0.5, running=(4,))
    assert paths(root) == {
        "ln s1": "M0.0 0.0L250.0 0.0L500.0 0.0L750.0 0.0",
        "ln s1 part": "M750.0 0.0L1000.0 500.0",
    }
    assert paths(draw(1, running=(0,)))["ln s1 part"] == "M500.0 0.0L500.0 0.0"


def test_an_axis_may_begin_above_zero() -> None:
    root = draw(0.75, 0.85, lowest=0.7)
    assert texts(root, "ya") == ["70%", "75%", "80%", "85%"]
    assert paths(root) == {"ln s1": "M0.0 666.7L1000.0 0.0"}


def test_strokes_are_not_stretched() -> None:
    root = draw(0, 1)
    assert [each.get("vector-effect") for each in root.iter("path")] == ["non-scaling-stroke"]


def test_a_sparkline_has_its_own_scale_and_the_period_before_behind() -> None:
    root = parse(sparkline([100, 110], [100, 90]))
    before, now = root.iter("path")
    assert (before.get("class"), now.get("class")) == ("ln sp", "ln s1")
    # 90 to 110 and 12 % of that on either side: 100 lies in the middle
    assert now.get("d") == "M0.0 500.0L1000.0 96.8"
    assert before.get("d") == "M0.0 500.0L1000.0 903.2"
    assert root.get("aria-hidden") == "true"


def test_a_figure_that_hardly_moves_looks_flat() -> None:
    (line,) = parse(sparkline([1000, 1001], [None, None])).iter("path")
    assert line.get("d") == "M0.0 512.2L1000.0 487.8"
    (zero,) = parse(sparkline([0, 0])).iter("path")
    assert zero.get("d") == "M0.0 500.0L1000.0 500.0"


def test_less_than_two_values_have_no_shape() -> None:
    assert sparkline([1, None]) == ""
    assert sparkline([], [1, 2]) == ""
