from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from codometer.serve.exact_json import decode
from codometer.settings import Organisation, Settings
from tests.unit.serve.parts import Client, Office, build_office_app


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def client(office: Office) -> Client:
    return Client(build_office_app(office))


def ask(client: Client, query: str) -> dict[str, Any]:
    response = client.get(f"/api/v1/query?{query}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = decode(response.content)
    return answer


def refuse(client: Client, query: str) -> dict[str, str]:
    response = client.get(f"/api/v1/query?{query}")
    assert response.status_code == 400
    error: dict[str, str] = response.json()["error"]
    assert error["code"] == "bad_request"
    return error


def test_a_query_is_answered_by_dimension(client: Client) -> None:
    answer = ask(client, "measures=tokens,cost&by=model&from=2026-11-01&to=2026-11-24")
    assert answer["period"] == {
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-11-24T00:00:00Z",
        "timezone": "UTC",
    }
    assert answer["previous_period"] is None
    assert answer["rows"] == [
        {"model": "claude-opus-4-5", "tokens": 1_920_417, "cost": Decimal("4.102976250001")},
        {"model": "claude-haiku-4-5", "tokens": 61_004, "cost": Decimal("0.00000001")},
        {"model": "claude-next", "tokens": 8_012, "cost": None},
    ]
    assert [dimension["name"] for dimension in answer["dimensions"]] == ["model"]
    cost = answer["measures"][1]
    assert (cost["name"], cost["label"], cost["unit"]) == ("cost", "Cost", "USD")
    assert cost["provenance"] == "estimated"


def test_every_digit_of_an_amount_is_in_the_body(client: Client) -> None:
    response = client.get("/api/v1/query?measures=cost&by=model&since=2026-11-20&until=2026-11-22")
    assert '"cost": 4.102976250001' in response.text
    assert '"cost": 0.00000001' in response.text


def test_without_dimensions_there_is_one_row(client: Client) -> None:
    answer = ask(client, "measures=tokens&from=7d")
    assert answer["rows"] == [{"tokens": 1_989_433}]
    assert answer["coverage"]["token_shares"] == {
        "event": Decimal("0.984"),
        "metric": Decimal("0.016"),
    }


def test_filters_on_one_dimension_are_alternatives(client: Client) -> None:
    where = "where=team:search&where=team:checkout"
    assert ask(client, f"measures=tokens&by=team&from=7d&{where}")["rows"] == [
        {"team": "checkout", "tokens": 1_920_417},
        {"team": "search", "tokens": 8_012},
    ]


def test_a_filter_without_a_value_asks_for_what_is_not_known(client: Client) -> None:
    answer = ask(client, "measures=tokens&by=team&from=7d&where=team:")
    assert answer["rows"] == [{"team": None, "tokens": 61_004}]


def test_a_value_may_hold_a_colon(client: Client, office: Office) -> None:
    ask(client, "measures=tokens&where=model:us.anthropic:v1")
    assert office.asked[0].where[0].values == ("us.anthropic:v1",)


def test_a_comparison_tells_the_period_before_and_the_change(client: Client) -> None:
    answer = ask(
        client, "measures=cost,tokens&by=team&from=2026-11-01&to=2026-12-01&compare=previous"
    )
    assert answer["previous_period"]["start"] == "2026-10-01T00:00:00Z"
    checkout = answer["rows"][0]
    assert checkout["previous"] == {"cost": Decimal("5.25"), "tokens": 1_500_000}
    assert checkout["change"]["tokens"] == Decimal("0.280278")
    assert answer["rows"][2]["change"] == {"cost": None, "tokens": None}


def test_days_are_cut_in_the_zone_that_is_asked_for(client: Client) -> None:
    answer = ask(
        client, "measures=tokens&by=day&from=2026-11-20&to=2026-11-23&timezone=Asia/Kathmandu"
    )
    assert answer["period"]["start"] == "2026-11-19T18:15:00Z"
    assert answer["period"]["timezone"] == "Asia/Kathmandu"
    # 23:30 UTC on the 21st is 05:15 on the 22nd there.
    assert [row["day"] for row in answer["rows"]] == ["2026-11-20", "2026-11-22"]


def test_days_are_cut_in_the_organisations_zone_otherwise() -> None:
    settings = Settings(organisation=Organisation(time_zone="Europe/Berlin"))
    client = Client(build_office_app(Office(), settings))
    answer = ask(client, "measures=tokens&from=2026-11-20")
    assert answer["period"]["start"] == "2026-11-19T23:00:00Z"


def test_without_a_period_it_is_the_last_thirty_days(client: Client, office: Office) -> None:
    ask(client, "measures=tokens")
    period = office.asked[0].period
    assert period.start == datetime(2026, 10, 25, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 23, 14, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "message", "hint"),
    [
        ("", "no measure is named", "tokens"),
        ("measures=tokns", "there is no measure 'tokns'", "tokens"),
        ("measures=cost&by=modelx", "there is no dimension 'modelx'", "model"),
        ("measures=cost&where=modelx:x", "there is no dimension 'modelx'", "model"),
        ("measures=cost&where=model", "the filter 'model' is not understood", "dimension:value"),
        ("measures=cost&where=:x", "the filter ':x' is not understood", "dimension:value"),
        ("measures=cost&from=1d&since=2d", "from and since mean the same", "one of them"),
        ("measures=cost&to=1d&until=2d", "to and until mean the same", "one of them"),
        ("measures=cost&from=soon", "'soon' is not a time", "30d"),
        ("measures=cost&from=2026-11-02&to=2026-11-01", "ends", "later"),
        ("measures=cost&timezone=Mars", "unknown time zone 'Mars'", "Europe/Berlin"),
        ("measures=cost&compare=next", "cannot compare with 'next'", "previous"),
        ("measures=cost&measures=tokens", "measures is given more than once", "once"),
        ("measures=cost&by=resource.squad", "resource.squad is not among", "resource.department"),
        ("measures=cost&where=resource.squad:x", "resource.squad is not among", "department"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_way_out(
    client: Client, query: str, message: str, hint: str
) -> None:
    error = refuse(client, query)
    assert message in error["message"]
    assert hint in error["hint"]


def test_an_allowed_resource_attribute_is_a_dimension(client: Client) -> None:
    answer = ask(client, "measures=tokens&by=resource.department&from=7d")
    assert answer["rows"] == [{"resource.department": None, "tokens": 1_989_433}]
    names = [each["name"] for each in client.get("/api/v1/dimensions").json()["dimensions"]]
    assert "resource.department" in names


def test_measures_tell_which_dimensions_apply(client: Client) -> None:
    measures = {each["name"]: each for each in client.get("/api/v1/measures").json()["measures"]}
    assert "model" in measures["tokens"]["dimensions"]
    assert "token_type" not in measures["cost"]["dimensions"]
    assert measures["tokens"]["definition"].endswith(".")
