import pytest

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.dimensions import DIMENSIONS
from codometer.analysis.measures.query import Query, applicable, find_dimension, parse_query
from codometer.errors import BadRequest
from tests.unit.analysis.measures.periods import JULY


def refuse(*measures: str, by: str | None = None, where: tuple[str, str] | None = None) -> str:
    """Expect a refusal, and return its message and hint."""
    with pytest.raises(BadRequest) as refused:
        parse_query(measures, period=JULY, by=[by] if by else [], where=[where] if where else [])
    return f"{refused.value.message}; {refused.value.hint}"


def test_an_unknown_measure_brings_the_nearest_names() -> None:
    assert refuse("token") == "there is no measure 'token'; perhaps tokens, output_tokens"


def test_an_unknown_name_like_no_other_brings_them_all() -> None:
    assert set(refuse("cost", by="zzz").split("perhaps ")[1].split(", ")) == set(DIMENSIONS)


def test_no_measure_brings_them_all() -> None:
    assert refuse().endswith(f"the measures are {', '.join(MEASURES)}")


def test_a_dimension_that_does_not_apply_brings_those_that_do() -> None:
    text = refuse("cost", "tokens", by="tool")
    assert text.startswith("cost is not known by tool; cost can be asked by hour, day, week")
    assert text.endswith("effort, speed, resource.<key>")


def test_a_filter_must_apply_too() -> None:
    assert refuse("tokens", where=("tool", "Bash")).startswith("tokens is not known by tool")


def test_token_types_apply_to_tokens_alone() -> None:
    assert refuse("cost", by="token_type").startswith("cost is not known by token_type")
    assert refuse("output_tokens", by="token_type").startswith("output_tokens is not known by")


def test_an_unknown_token_type_brings_those_that_are() -> None:
    assert refuse("tokens", where=("token_type", "input")) == (
        "there is no token type 'input';"
        " token types are uncached_input, cache_read, cache_write, output"
    )
    assert refuse("tokens", where=("token_type", "")).startswith("there is no token type ''")


def test_time_is_no_filter() -> None:
    assert refuse("cost", where=("day", "2026-07-01")).startswith("cannot filter by day")


def test_only_the_period_before_is_compared_with() -> None:
    with pytest.raises(BadRequest, match="cannot compare with 'year'"):
        parse_query(["cost"], period=JULY, compare="year")


@pytest.mark.parametrize("measure", ["active_time_seconds", "acceptance_ratio", "cost_per_commit"])
def test_hours_returns_and_rates_of_a_person_are_not_answered(measure: str) -> None:
    assert refuse(measure, by="person").startswith(f"{measure} is not shown by person")
    assert refuse(measure, where=("person", "ada")).startswith(f"{measure} is not shown")


def test_conditions_on_one_dimension_are_alternatives() -> None:
    where = [("team", "red"), ("model", "opus"), ("team", ""), ("team", "red")]
    query = parse_query(["cost"], period=JULY, where=where)
    assert {c.dimension.name: c.values for c in query.where} == {
        "team": ("red", None),
        "model": ("opus",),
    }


def test_a_name_said_twice_is_asked_once() -> None:
    query = parse_query(["cost", "cost"], period=JULY, by=["team", "team"])
    assert query == Query(measures=(MEASURES["cost"],), period=JULY, by=(DIMENSIONS["team"],))


def test_a_resource_attribute_is_a_dimension_of_every_measure() -> None:
    query = parse_query(list(MEASURES), period=JULY, by=["resource.service.namespace"])
    assert query.by[0].column == "resource_service_2e_namespace"
    with pytest.raises(BadRequest):
        find_dimension("resource.")


def test_ratios_are_known_by_what_both_sides_are_known_by() -> None:
    names = {dimension.name for dimension in applicable(MEASURES["cost_per_commit"])}
    assert {"day", "team", "repository"} <= names
    assert not names & {"model", "tool", "person", "token_type"}


def test_measures_and_dimensions_never_share_a_name() -> None:
    assert not set(MEASURES) & set(DIMENSIONS)
