"""The quick way through protobuf against OpenTelemetry's own classes, at length."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codometer.model.signal import SignalKind
from tests.oracle import check_damaged, check_requests, damage
from tests.otlp import bodies

pytestmark = [pytest.mark.prove, pytest.mark.parametrize("kind", SignalKind)]


@settings(max_examples=600)
@given(data=st.data())
def test_a_request_says_what_the_plain_walk_reads(data: st.DataObject, kind: SignalKind) -> None:
    check_requests(kind, data.draw(st.lists(bodies(kind), min_size=1, max_size=4)))


@settings(max_examples=600)
@given(data=st.data(), luck=st.randoms(use_true_random=False))
def test_a_damaged_request_is_read_as_one_by_one(
    data: st.DataObject, luck: random.Random, kind: SignalKind
) -> None:
    requests = data.draw(st.lists(bodies(kind), min_size=1, max_size=3))
    check_damaged(kind, [damage(body, luck) for body in requests])
