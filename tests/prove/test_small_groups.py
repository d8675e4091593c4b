"""All that can be asked of many fleets by three dimensions, and subtracted; by `make prove`."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.measures.test_small_groups import Fleet, crowded, duckdb, find_told_of_few

pytestmark = pytest.mark.prove


@settings(max_examples=300, deadline=None)
@given(
    fleet=crowded(),
    dimensions=st.sampled_from(
        [("team", "model"), ("team", "day"), ("team", "model", "agent"), ("team", "model", "week")]
    ),
)
def test_nothing_that_can_be_subtracted_is_about_fewer_than_the_minimum(
    fleet: Fleet, dimensions: tuple[str, ...]
) -> None:
    assert find_told_of_few(duckdb(), fleet, dimensions) == []
