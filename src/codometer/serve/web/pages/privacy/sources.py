"""What the pages about privacy are built from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codometer.model.status import ContentStatus
from codometer.people.decisions import Decision, Decisions
from codometer.people.queue import Asked
from codometer.privacy.profile import POLICIES, Kept, Policy, find_kept
from codometer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySources:
    """What was decided, what the settings add to it, and the fewest people of a number."""

    decisions: Decisions
    settings: Settings
    minimum_people: Callable[[], int]
    list_waiting: Callable[[], Sequence[Asked]]
    """Tells what people asked for that nobody decided yet."""
    sent_content: Callable[[], Sequence[ContentStatus]]
    """Tells which clients send what people or models write."""

    def policy(self, decision: Decision) -> Policy:
        """Return what a decision means."""
        return POLICIES[decision.profile]

    def kept(self, policy: Policy) -> Kept:
        """Return how long what is kept: what the settings say, within the policy."""
        return find_kept(policy, self.settings.retention)
