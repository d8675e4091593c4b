"""Whatever a batch is encoded as, a server reads the same signals from it."""

from __future__ import annotations

from datetime import date

from codometer.intake.receivers.export import Encoding, ExportRequest
from codometer.intake.receivers.otlp_decode import decode
from codometer.operate.simulator import Scenario, simulate_day
from codometer.operate.simulator.encode import encode
from codometer.operate.simulator.encode_json import encode_json
from codometer.pricing import load_catalogue


def test_a_batch_says_the_same_in_both_encodings() -> None:
    scenario = Scenario(seed=2, last_day=date(2026, 11, 20), people=2, session_minutes=4)
    batches = simulate_day(scenario, load_catalogue()).batches
    assert len({batch.kind for batch in batches}) == 2
    for batch in batches:
        in_protobuf, in_json = (
            decode(ExportRequest(kind=batch.kind, encoding=encoding, body=body))
            for encoding, body in (
                (Encoding.PROTOBUF, encode(batch)),
                (Encoding.JSON, encode_json(batch)),
            )
        )
        assert len(in_json) == len(batch.records) + len(batch.points)
        assert repr(in_protobuf) == repr(in_json)
