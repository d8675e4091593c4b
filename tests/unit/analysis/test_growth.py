from codometer.analysis.growth import describe_growth, describe_shift
from codometer.analysis.trend import trailing_means


def shift(now: dict[str, float], before: dict[str, float]) -> str | None:
    return describe_shift(now, before, of="spend")


def test_the_part_that_moved_most_is_named_with_both_shares() -> None:
    now, before = (
        {"Opus": 58.0, "Sonnet": 32, "Haiku": 10},
        {"Opus": 48.0, "Sonnet": 41, "Haiku": 11},
    )
    assert shift(now, before) == "Opus went from 48% to 58% of spend."


def test_what_came_or_went_is_said_so() -> None:
    assert shift({"New": 12.0, "Old": 88}, {"Old": 100.0}) == "New is new, with 12% of spend."
    gone = "Old is no longer used; it was 12% of spend."
    assert shift({"Same": 50.0, "Old": 0}, {"Same": 88.0, "Old": 12}) == gone


def test_a_small_move_is_not_worth_a_sentence() -> None:
    assert shift({"a": 51.0, "b": 49}, {"a": 49.0, "b": 51}) is None


def test_nothing_to_compare_with_gives_no_sentence() -> None:
    assert shift({"a": 1.0}, {}) is None
    assert shift({"a": 0.0}, {"a": 1.0}) is None


def test_the_fastest_are_named_with_their_growth() -> None:
    before = {"Data": 100.0, "Platform": 200, "Mobile": 300, "Tiny": 1}
    now = {"Data": 142.0, "Platform": 262, "Mobile": 310, "Tiny": 20}
    assert describe_growth(now, before) == "Data and Platform grew fastest, by 42% and 31%."
    assert describe_growth({**now, "Platform": 200}, before) == "Data grew fastest, by 42%."


def test_what_is_no_longer_small_counts_too() -> None:
    before = {"Mobile": 10.0, "Payments": 900, "Tiny": 1}
    assert describe_growth({"Mobile": 130.0, "Payments": 1_143, "Tiny": 9}, before) == (
        "Mobile and Payments grew fastest, by 13× and 27%."
    )


def test_nobody_grew() -> None:
    assert describe_growth({"Data": 105.0}, {"Data": 100.0}) is None
    assert describe_growth({}, {"Data": 100.0, "New": 0}) is None
    assert describe_growth({"Data": 5}, {}) is None


def test_a_trend_is_the_mean_of_the_week_so_far() -> None:
    assert trailing_means([1] * 6 + [8, 8]) == [None] * 6 + [2, 3]
    assert trailing_means([7, 0, None, 5], over=2) == [None, 3.5, None, None]


def test_a_trend_may_pass_over_what_is_missing() -> None:
    assert trailing_means([7, 0, None, 5], over=2, least=1) == [None, 3.5, 0, 5]
    assert trailing_means([None, None, 5], over=2, least=1) == [None, None, 5]
