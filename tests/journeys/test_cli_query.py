from collections.abc import Iterator
from dataclasses import replace

import pytest
from click.testing import Result

from codometer.analysis.measures.groups import OTHER
from codometer.analysis.measures.query import Query
from codometer.analysis.measures.run import Answer
from codometer.cli.edge import ExitStatus
from tests.journeys.office import run_codometer, serving
from tests.unit.serve.parts import Office

SINCE = ("--since", "2026-11-01", "--until", "2026-11-24")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Office()) as address:
        yield address


def lines_of(result: Result) -> list[str]:
    assert result.exit_code == ExitStatus.DONE, result.output
    return result.stdout.splitlines()


def test_a_table_has_units_and_says_what_it_rests_on(url: str) -> None:
    result = run_codometer("query", "tokens", "cost", "--by", "model", *SINCE, url=url)
    assert lines_of(result) == [
        "1 to 23 Nov 2026, UTC",
        "",
        "Model                Tokens    Cost",
        "claude-opus-4-5   1,920,417   $4.10",
        "claude-haiku-4-5     61,004  <$0.01",
        "claude-next           8,012       –",
        "All               1,989,433   $4.10",
        "",
        "– is unknown: nothing came that tells it.",
        "1.6% of the tokens are counted from metrics, because no events of them came.",
        "Cost is estimated, not billed.",
        "3 requests have no list price (claude-next).",
        "$0.21 of the list cost rests on an assumption about prices.",
        "These data begin on 2 Nov 2026.",
    ]


def test_a_comparison_stands_beside_every_measure(url: str) -> None:
    result = run_codometer(
        "query", "cost", "--by", "team", *SINCE[:2], "--until", "2026-12-01",
        "--compare", "previous", url=url,
    )  # fmt: skip
    assert lines_of(result)[:8] == [
        "1 to 30 Nov 2026, UTC",
        "before: 1 to 31 Oct 2026, UTC",
        "",
        "Team        Cost  Before  Change",
        "checkout   $4.10   $5.25  −21.8%",
        "unknown   <$0.01       –       –",
        "search         –       –       –",
        "All        $4.10   $5.25  −21.8%",
    ]


def test_without_dimensions_there_is_one_measure_a_line(url: str) -> None:
    result = run_codometer("query", "requests", "cost", *SINCE, "--compare", "previous", url=url)
    assert lines_of(result)[3:6] == [
        "Measure   Value  Before  Change",
        "Requests    359     290  +23.8%",
        "Cost      $4.10   $5.25  −21.8%",
    ]


def test_a_single_row_needs_no_line_for_all(url: str) -> None:
    result = run_codometer(
        "query", "tokens", "--by", "team", "--where", "team=search", *SINCE, url=url
    )
    assert "All" not in result.stdout
    assert lines_of(result)[3] == "search   8,012"


def test_hours_and_months_are_written_in_the_zone(url: str) -> None:
    zone = ("--timezone", "Asia/Kathmandu")
    hours = run_codometer("query", "tokens", "--by", "hour", *SINCE, *zone, url=url)
    assert lines_of(hours)[3].startswith("2026-11-20 14:45")


def test_json_is_the_apis_answer_with_every_digit(url: str) -> None:
    result = run_codometer("query", "cost", "--by", "model", *SINCE, "--format", "json", url=url)
    assert '      "cost": 4.102976250001\n' in result.stdout
    assert '  "previous_period": null,\n' in result.stdout


def test_csv_has_every_digit_and_leaves_the_unknown_empty(url: str) -> None:
    result = run_codometer(
        "query", "tokens", "cost", "--by", "model", *SINCE, "--format", "csv", url=url
    )
    assert result.stdout == (
        "model,tokens,cost\n"
        "claude-opus-4-5,1920417,4.102976250001\n"
        "claude-haiku-4-5,61004,0.00000001\n"
        "claude-next,8012,\n"
    )


def test_csv_of_a_comparison_has_both_periods(url: str) -> None:
    result = run_codometer(
        "query", "tokens", "--by", "team", "--where", "team=checkout", *SINCE[:2],
        "--until", "2026-12-01", "--compare", "previous", "--format", "csv", url=url,
    )  # fmt: skip
    assert result.stdout == (
        "team,tokens,previous_tokens,change_tokens\ncheckout,1920417,1500000,0.280278\n"
    )


def test_without_measures_everything_that_can_be_asked_is_listed(url: str) -> None:
    table = run_codometer("query", url=url)
    assert any(line.startswith("cache_hit_ratio  ") for line in lines_of(table))
    assert any(line.startswith("resource.department  ") for line in lines_of(table))
    assert '"direction": "neither"' in run_codometer("query", "--format", "json", url=url).stdout
    csv = run_codometer("query", "--format", "csv", url=url).stdout.splitlines()
    assert csv[0] == "kind,name,label,definition"
    assert csv[-1].startswith("dimension,resource.")


def test_an_unknown_measure_names_the_nearest(url: str) -> None:
    result = run_codometer("query", "tokns", url=url)
    assert result.exit_code == ExitStatus.WRONG_USAGE
    assert result.stdout == ""
    assert result.stderr == (
        "Error: there is no measure 'tokns'\nHint: perhaps tokens, output_tokens\n"
    )


def test_a_filter_that_is_none_is_wrong_usage(url: str) -> None:
    result = run_codometer("query", "cost", "--where", "model", url=url)
    assert result.exit_code == ExitStatus.WRONG_USAGE
    assert "'model' is not DIM=VALUE" in result.stderr


def test_a_period_without_anything_says_so(url: str) -> None:
    result = run_codometer(
        "query", "cost", "--by", "model", "--since", "2025-01-01", "--until", "2025-02-01", url=url
    )
    assert lines_of(result)[2] == "Nothing was received for this period."


def test_a_fault_of_the_server_is_no_wrong_usage() -> None:
    with serving(Office(fault=RuntimeError("secret"))) as url:
        result = run_codometer("query", "cost", url=url)
    assert result.exit_code == ExitStatus.NO
    assert result.stderr.startswith("Error: the server failed to answer this\nHint: ")


def test_bars_stand_beside_a_table_that_has_room_for_them(url: str) -> None:
    terminal = {"FORCE_COLOR": "1", "COLUMNS": "80"}
    result = run_codometer("query", "tokens", "--by", "month", *SINCE, url=url, environ=terminal)
    assert "━" * 24 in result.stdout
    wide = run_codometer(
        "query", "tokens", "cost", "requests", "--by", "model", *SINCE, "--compare", "previous",
        url=url, environ=terminal,
    )  # fmt: skip
    assert "━" not in wide.stdout
    assert wide.stdout.count("Model") == 2
    unknown = run_codometer(
        "query", "cost", "--by", "team", "--where", "team=search", *SINCE, url=url, environ=terminal
    )
    assert "━" not in unknown.stdout


class SmallOffice(Office):
    """Tells of two teams as one, and nothing of one day."""

    def ask(self, query: Query) -> Answer:
        first, *others = super().ask(query).groups
        by = [each.name for each in query.by]
        merged = [
            replace(each, key=dict.fromkeys(by, OTHER), merged=True)
            if "team" in by
            else replace(each, values=dict.fromkeys(each.values), withheld=True)
            for each in others
        ]
        answer = replace(super().ask(query), minimum_people=5)
        if query.where:
            return replace(answer, withheld=True)
        return replace(answer, groups=(first, *merged[:1]))


@pytest.fixture(scope="module")
def small() -> Iterator[str]:
    with serving(SmallOffice()) as address:
        yield address


def test_what_is_merged_and_what_is_withheld_is_said(small: str) -> None:
    teams = lines_of(run_codometer("query", "tokens", "--by", "team", *SINCE, url=small))
    assert teams[3:8] == [
        "checkout              1,920,417",
        "Other (k-anonymised)     61,004",
        "All                   1,989,433",
        "",
        (
            "Other (k-anonymised) has the groups of fewer than 5 people,"
            " and others so that theirs do not follow."
        ),
    ]
    days = lines_of(run_codometer("query", "tokens", "--by", "day", *SINCE, url=small))
    assert days[3:8] == [
        "2026-11-20  1,920,417",
        "2026-11-21   withheld",
        "All         1,989,433",
        "",
        "withheld: fewer than 5 people, or theirs would follow.",
    ]
    form = ("--format", "csv")
    table = lines_of(run_codometer("query", "tokens", "--by=day", *SINCE, *form, url=small))
    assert table == ["day,tokens", "2026-11-20,1920417", "2026-11-21,withheld"]


def test_a_filter_that_leaves_too_few_people_is_refused(small: str) -> None:
    result = run_codometer("query", "tokens", "--where", "team=search", *SINCE, url=small)
    assert result.exit_code == ExitStatus.WRONG_USAGE
    assert "fewer than 5 people" in result.stderr
    assert "widen the period or group" in result.stderr
