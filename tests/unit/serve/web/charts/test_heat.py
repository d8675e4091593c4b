from codometer.analysis.numbers import Value, format_value
from codometer.serve.web.charts import heat
from tests.unit.serve.web.charts.drawing import lengths, parse, table, texts, with_class


def write(value: Value) -> str:
    return format_value(value, "count")


def test_a_cell_is_as_strong_as_its_share_of_the_highest() -> None:
    root = parse(
        heat(
            title="When people work",
            corner="Day",
            rows=("Mon", "<Tue>"),
            columns=("00", "01", "02", "03"),
            shown={0: "00", 3: "03"},
            values=[[0, 1, 20, 21], [100, None, 99, 81]],
            write_value=write,
        )
    )
    cells = list(root.iter("rect"))
    assert [each.get("class") for each in cells] == ["h0", "h1", "h1", "h2", "h5", "h5", "h5"]
    assert lengths(cells[1], "x", "y", "width", "height") == [25, 0, 24.75, 48.8]
    assert lengths(cells[4], "x", "y") == [0, 50]
    assert cells[4][0].text == "<Tue> 00: 100"
    assert texts(root, "ya") == ["Mon", "<Tue>"]
    assert texts(root, "xa") == ["00", "03"]
    assert table(root) == [
        ["Day", "00", "01", "02", "03"],
        ["Mon", "0", "1", "20", "21"],
        ["<Tue>", "100", "–", "99", "81"],
    ]
    assert (root.get("data-mode"), root.get("data-n")) == ("cells", "2")
    (plot,) = with_class(root, "pl")
    assert plot.get("role") == "img"


def test_all_zero_is_all_pale() -> None:
    root = parse(
        heat(
            title="Quiet",
            corner="Day",
            rows=("Mon",),
            columns=("00",),
            shown={},
            values=[[0]],
            write_value=write,
        )
    )
    assert [each.get("class") for each in root.iter("rect")] == ["h0"]
