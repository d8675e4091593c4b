"""What to simulate: how many people work how much, over which days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A fleet over a span of days, each in its people's own time zones. Shares run from 0 to 1.

    A fleet grows towards its last day, and what happens only once (a version that
    breaks something, a job that runs away) happens so many days before it. So a
    single day is an ordinary one of a fleet that is complete.
    """

    seed: int
    last_day: date
    days: int = 1
    people: int = 500
    sessions_per_person: float = 2
    session_minutes: float = 30
    """The median length of a session; there are three or four requests a minute."""
    collect_seconds: int = 60
    """How often clients tell their metrics (`OTEL_METRIC_EXPORT_INTERVAL`)."""
    keeps_calendar: bool = False
    """Whether there are weekends, holidays and days off; else everybody works every day."""
    cumulative_share: float = 0.3
    """Installations whose metrics are cumulative; those of the others are deltas."""
    metrics_have_session_ids: bool = True
    """False is `OTEL_METRICS_INCLUDE_SESSION_ID=false`."""
    resumed_share: float = 0.12
    """Sessions that a second process takes up again later."""
    parallel_share: float = 0.05
    """Sessions that a second process has open at the same time."""

    @property
    def first_day(self) -> date:
        """The first of the days."""
        return self.last_day - timedelta(days=self.days - 1)

    def list_days(self) -> Sequence[date]:
        """Return the days, the first one first."""
        return [self.first_day + timedelta(days=number) for number in range(self.days)]

    def progress(self, day: date) -> float:
        """Return how far the fleet has come on a day: from 0 on the first to 1 on the last."""
        if self.days == 1:
            return 1.0
        return min(1.0, max(0.0, (day - self.first_day).days / (self.days - 1)))

    def days_before_end(self, day: date) -> int:
        """Return how many days lie between a day and the last one; less than 0 after it."""
        return (self.last_day - day).days
