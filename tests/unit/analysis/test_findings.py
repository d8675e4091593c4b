from datetime import date, timedelta

from codometer.analysis.findings import (
    MOST,
    Decisions,
    Finding,
    Reliability,
    Severity,
    find_distrust,
    find_failing_versions,
    find_lost,
    find_refused,
    find_silence,
    find_spikes,
    find_unpriced,
    rank,
)

TODAY = date(2026, 11, 22)
THURSDAY = date(2026, 11, 12)
FIRST = date(2026, 9, 7)  # a Monday
SINCE = date(2026, 10, 26)


def steady(amount: float, *, weekend: float | None = None) -> dict[date, float]:
    days = (FIRST + timedelta(days=number) for number in range((TODAY - FIRST).days))
    quiet = amount / 10 if weekend is None else weekend
    return {day: quiet if day.weekday() >= 5 else amount for day in days}


def test_a_team_that_explains_a_day_stands_for_it() -> None:
    total, ci, web = steady(2_000), steady(40), steady(1_960)
    ci[THURSDAY] = 1_214
    total[THURSDAY] += 1_174
    (found,) = find_spikes(total, {}, {"ci": ci, "web": web}, since=SINCE, today=TODAY)
    assert found == Finding(
        severity=Severity.CRITICAL,
        title="ci spent $1,214 on Thu 12 Nov",
        text="Usual for a Thursday: $40.00.",
        money=found.money,
        first=THURSDAY,
        last=THURSDAY,
        team="ci",
    )
    assert round(found.money) == 1_174


def test_a_day_that_no_team_explains_is_told_with_its_main_model() -> None:
    total, opus, haiku = steady(2_000), steady(1_500), steady(500)
    total[THURSDAY - timedelta(weeks=1)] = 2_200
    total[THURSDAY] += 1_500
    opus[THURSDAY] += 1_400
    haiku[THURSDAY] += 100
    (found,) = find_spikes(total, {"Opus": opus, "Haiku": haiku}, {}, since=SINCE, today=TODAY)
    assert found.title == "$3,500 was spent on Thu 12 Nov"
    assert found.text == (
        "Usual for a Thursday: $2,000 to $2,200. Opus alone cost $1,400 more than usual."
    )
    assert (found.severity, found.team) == (Severity.CRITICAL, None)


def test_days_that_follow_each_other_are_one_finding() -> None:
    total, ci = steady(2_000), steady(40)
    for back in range(2):
        ci[THURSDAY - timedelta(days=back)] = 1_214
    ci[THURSDAY - timedelta(days=7)] = 900
    found = rank(find_spikes(total, {}, {"ci": ci}, since=SINCE, today=TODAY))
    assert [each.title for each in found] == [
        "ci spent $2,428 from Wed 11 Nov to Thu 12 Nov",
        "ci spent $900 on Thu 5 Nov",
    ]
    assert found[0].text == "Usual for these days: $80.00."
    assert (found[0].first, found[0].last) == (THURSDAY - timedelta(days=1), THURSDAY)


def test_one_model_or_none_that_stands_out_needs_no_name() -> None:
    total = steady(2_000)
    total[THURSDAY] += 1_500
    halves = {day: amount / 3 for day, amount in total.items()}
    for parts in ({"Opus": total}, {"a": halves, "b": halves, "c": halves}):
        (found,) = find_spikes(total, parts, {}, since=SINCE, today=TODAY)
        assert found.text == "Usual for a Thursday: $2,000."


def test_a_spike_of_a_small_team_in_a_large_organisation_is_a_warning() -> None:
    total, ci = steady(10_000), steady(40)
    ci[THURSDAY] = 500
    (found,) = find_spikes(total, {}, {"ci": ci}, since=SINCE, today=TODAY)
    assert found.severity is Severity.WARNING


def test_a_day_of_a_team_that_may_not_be_told_is_told_of_all() -> None:
    total, ci = steady(2_000), steady(40)
    del ci[THURSDAY]
    total[THURSDAY] += 3_000
    (found,) = find_spikes(total, {}, {"ci": ci}, since=SINCE, today=TODAY)
    assert (found.title, found.team) == ("$5,000 was spent on Thu 12 Nov", None)


def test_what_was_before_is_not_told_again() -> None:
    total, ci = steady(2_000), steady(40)
    total[THURSDAY] = ci[THURSDAY] = 9_000
    after = THURSDAY + timedelta(days=1)
    assert find_spikes(total, {}, {"ci": ci}, since=after, today=TODAY) == []


def test_a_silent_day_is_told() -> None:
    total = steady(2_000)
    total[THURSDAY] = 0
    (found,) = find_silence(total, since=SINCE, today=TODAY)
    assert found.title == "No data on Thu 12 Nov"
    assert found.text == (
        "Usual for a Thursday: $2,000. Either nobody worked, or nothing reached this server."
    )
    assert find_silence(total, since=THURSDAY + timedelta(days=1), today=TODAY) == []


def test_models_without_a_price_are_named_a_few_at_most() -> None:
    (one,) = find_unpriced(["claude-next"], 1, None)
    assert one.title == "1 request has no list price"
    assert one.text == "Not in the price list: claude-next. Spend leaves them out."
    (many,) = find_unpriced(["a", "b", "c", "d", "e"], 1_200, 3.5)
    assert many.title == "1,200 requests have no list price"
    assert many.text == (
        "Not in the price list: a, b, c and 2 more. $3.50 of spend is what their clients reported."
    )
    (unknown,) = find_unpriced(["a"], None, 3.5)
    assert unknown.title == "Some requests have no list price"
    assert find_unpriced([], None, None) == find_unpriced(["a"], 0, None) == []


def test_lost_events_are_told_when_they_are_not_very_few() -> None:
    (found,) = find_lost(1, 100)
    assert found.title == "1 event did not arrive"
    (found,) = find_lost(214, None)
    assert found.title == "214 events did not arrive"
    assert find_lost(3, 10_000) == find_lost(0, 0) == find_lost(None, 5) == []


def test_refused_signals_are_told_with_the_reason() -> None:
    (found,) = find_refused(1, "They carry no time.")
    assert (found.title, found.text) == ("1 signal was refused", "They carry no time.")
    assert find_refused(2_000, "")[0].title == "2,000 signals were refused"
    assert find_refused(0, "") == []


def test_acceptance_that_fell_is_told_over_enough_decisions() -> None:
    fell = Decisions(decided=400, ratio=0.71, decided_before=380, ratio_before=0.83)
    few = Decisions(decided=99, ratio=0.2, decided_before=380, ratio_before=0.83)
    rose = Decisions(decided=400, ratio=0.83, decided_before=380, ratio_before=0.71)
    new = Decisions(decided=400, ratio=0.71, decided_before=None, ratio_before=None)
    none = Decisions(decided=None, ratio=None, decided_before=380, ratio_before=0.83)
    found = find_distrust({"Mobile": fell, "b": few, "c": rose, "d": new, "e": none})
    assert [each.title for each in found] == ["Edit acceptance fell to 71% in Mobile"]
    assert found[0].text == ("It was 83% in the period before, over 380 decisions; now 400.")
    assert found[0].team == "Mobile"


def test_a_version_whose_tools_fail_is_told_beside_the_others() -> None:
    versions = {
        "2.1.38": Reliability(calls=1_000, failures=140),
        "2.1.40": Reliability(calls=3_000, failures=60),
        "2.1.41": Reliability(calls=400, failures=399),
        "2.1.42": Reliability(calls=None, failures=None),
    }
    (found,) = find_failing_versions({**versions, "2.1.41": Reliability(calls=400, failures=8)})
    assert found.title == "14% of tool calls fail in version 2.1.38"
    assert found.text == "2% in all other versions. 1,000 calls were made with it."
    assert find_failing_versions({"2.1.38": versions["2.1.38"]}) == []


def test_a_version_that_fails_a_little_more_needs_many_calls_to_be_told() -> None:
    others = Reliability(calls=20_000, failures=800)  # 4 %
    for calls, failures, count in ((500, 33, 0), (20_000, 1_320, 1), (20_000, 1_180, 0)):
        versions = {"new": Reliability(calls=calls, failures=failures), "old": others}
        assert len(find_failing_versions(versions)) == count


def test_at_most_five_are_kept_the_gravest_and_dearest_first() -> None:
    def make(severity: Severity, money: float) -> Finding:
        return Finding(severity=severity, title=f"{money}", text="", money=money)

    ranked = rank(
        [
            make(Severity.WARNING, 5),
            make(Severity.CRITICAL, 1),
            make(Severity.WARNING, 50),
            make(Severity.CRITICAL, 2),
            make(Severity.WARNING, 1),
            make(Severity.WARNING, 900),
        ]
    )
    assert len(ranked) == MOST
    assert [each.money for each in ranked] == [2, 1, 900, 50, 5]
