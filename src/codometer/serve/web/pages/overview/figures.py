"""Eight figures, each beside the period before, and their trends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.coverage import Coverage
from codometer.analysis.measures.measure import Empty, Number
from codometer.analysis.measures.run import Answer, Values
from codometer.analysis.numbers import UNKNOWN, format_step
from codometer.analysis.trend import WEEK, trailing_means
from codometer.model.event import Source
from codometer.serve.web.buckets import Key, cut, days_of
from codometer.serve.web.charts import sparkline
from codometer.serve.web.formats import format_figure
from codometer.serve.web.pages.overview.questions import Questions
from codometer.serve.web.view import View

_NEEDS_METRICS: Final = "Needs metrics: set OTEL_METRICS_EXPORTER=otlp."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A figure to show: the measures that add up to it, and whether only metrics tell them."""

    label: str
    measures: tuple[str, ...]
    from_metrics: bool = False


_SHOWN: Final = (
    _Shown(label="Active developers", measures=("active_people",)),
    _Shown(label="Sessions", measures=("sessions",)),
    _Shown(label="Active time", measures=("active_time_seconds",), from_metrics=True),
    _Shown(label="Tokens", measures=("tokens",)),
    _Shown(label="Lines changed", measures=("lines_added", "lines_removed"), from_metrics=True),
    _Shown(label="Commits", measures=("commits",), from_metrics=True),
    _Shown(label="Pull requests", measures=("pull_requests",), from_metrics=True),
    _Shown(label="Edit acceptance", measures=("acceptance_ratio",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure as its reader sees it."""

    label: str
    definition: str
    value: str
    step: str | None
    before: str
    trend: Markup
    needs: str | None
    """What to switch on, where nothing measured it."""


def build_figures(questions: Questions, view: View) -> Mapping[str, object]:
    """Return the figures with their trends."""
    answer = questions.figures(view)
    (group,) = answer.groups
    trends = _find_trends(questions.trends(view), view)
    return {
        "withheld": group.withheld,
        "figures": [
            _figure(
                shown,
                group.values,
                group.previous or {},
                answer.coverage,
                trend=trends.draw(shown),
            )
            for shown in _SHOWN
        ],
    }


def _figure(
    shown: _Shown, now: Values, before: Values, coverage: Coverage, *, trend: Markup
) -> Figure:
    measure = MEASURES[shown.measures[0]]
    value, earlier = _sum(now, shown), _sum(before, shown)
    step = format_step(value, earlier, measure.display)
    return Figure(
        label=shown.label,
        definition=measure.definition,
        value=format_figure(value, measure.display, measure.unit),
        step=None if step == UNKNOWN else step,
        before=format_figure(earlier, measure.display, measure.unit),
        trend=trend,
        needs=_NEEDS_METRICS if value is None and _is_unmeasured(shown, coverage) else None,
    )


def _is_unmeasured(shown: _Shown, coverage: Coverage) -> bool:
    """Tell a signal that never came from one in which there was nothing to count."""
    is_blind = bool(coverage.signals) and Source.METRIC.value not in coverage.signals
    return shown.from_metrics and is_blind


def _sum(values: Values, shown: _Shown) -> Number | None:
    known = [value for name in shown.measures if (value := values.get(name)) is not None]
    return sum(known[1:], known[0]) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trends:
    """The values by bucket: of what goes before, of the period before, and of the period."""

    values: Mapping[Key, Values]
    earlier: Sequence[Key]
    before: Sequence[Key]
    now: Sequence[Key]
    unfinished: frozenset[Key]
    quiet: frozenset[Key]
    """Those of which nothing came, after the first of which something did."""
    mean_over: int

    def draw(self, shown: _Shown) -> Markup:
        """Draw the trend of a figure without what is not over, which would look like a fall."""
        is_quiet = MEASURES[shown.measures[0]].empty is Empty.ZERO
        keys = (*self.earlier, *self.before, *self.now)
        means = trailing_means(
            [self._value(key, shown, is_quiet=is_quiet) for key in keys],
            over=self.mean_over,
            least=self.mean_over if is_quiet else 1,
        )
        split = len(self.earlier) + len(self.before)
        return sparkline(means[split:], means[len(self.earlier) : split])

    def _value(self, key: Key, shown: _Shown, *, is_quiet: bool) -> Number | None:
        if key in self.unfinished:
            return None
        if key in self.values:
            return _sum(self.values[key], shown)
        return 0 if is_quiet and key in self.quiet else None


def _find_trends(answer: Answer, view: View) -> _Trends:
    now, before = (
        cut(period, now=view.now, zone=view.zone, finest=view.finest)
        for period in (view.period, view.previous)
    )
    values = {}
    for group in answer.groups:
        key = group.key[now.dimension]
        if isinstance(key, date):
            values[key] = group.values
    is_daily = now.dimension == "day"
    earlier = days_of(answer.period)[:WEEK] if is_daily else ()
    keys = (*earlier, *before.keys, *now.keys)
    first = next((at for at, key in enumerate(keys) if key in values), len(keys))
    return _Trends(
        values=values,
        earlier=earlier,
        before=before.keys,
        now=now.keys,
        quiet=frozenset(keys[first:]) - values.keys(),
        unfinished=frozenset(now.keys[at] for at in now.running),
        mean_over=WEEK if is_daily else 1,
    )
