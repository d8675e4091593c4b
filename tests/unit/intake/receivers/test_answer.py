import json
from typing import Any, Final

import pytest
from google.protobuf import any_pb2, duration_pb2, json_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from codometer.intake.receivers import answer
from codometer.intake.receivers.export import Accepted, Encoding
from codometer.model.signal import SignalKind

RESPONSES: Final[dict[SignalKind, tuple[Any, str]]] = {
    SignalKind.LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
    SignalKind.METRICS: (ExportMetricsServiceResponse, "rejected_data_points"),
    SignalKind.TRACES: (ExportTraceServiceResponse, "rejected_spans"),
}


def _define_status() -> tuple[Any, Any]:
    """Make google.rpc's Status and RetryInfo, which no package that we need brings along."""
    pool = DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(duration_pb2.DESCRIPTOR.serialized_pb)
    kinds, labels = FieldDescriptorProto.Type, FieldDescriptorProto.Label
    file = FileDescriptorProto(name="status.proto", package="google.rpc", syntax="proto3")
    file.dependency.extend([any_pb2.DESCRIPTOR.name, duration_pb2.DESCRIPTOR.name])
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=kinds.TYPE_INT32, label=labels.LABEL_OPTIONAL)
    status.field.add(name="message", number=2, type=kinds.TYPE_STRING, label=labels.LABEL_OPTIONAL)
    status.field.add(
        name="details",
        number=3,
        type=kinds.TYPE_MESSAGE,
        type_name=".google.protobuf.Any",
        label=labels.LABEL_REPEATED,
    )
    retry_info = file.message_type.add(name="RetryInfo")
    retry_info.field.add(
        name="retry_delay",
        number=1,
        type=kinds.TYPE_MESSAGE,
        type_name=".google.protobuf.Duration",
        label=labels.LABEL_OPTIONAL,
    )
    pool.Add(file)
    names = ("google.rpc.Status", "google.rpc.RetryInfo")
    made = [GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]
    return made[0], made[1]


Status, RetryInfo = _define_status()


@pytest.mark.parametrize("kind", SignalKind)
def test_full_success_is_an_empty_message(kind: SignalKind) -> None:
    assert answer.export_response(kind, Encoding.PROTOBUF, Accepted()) == b""
    assert answer.export_response(kind, Encoding.JSON, Accepted()) == b"{}"


@given(
    kind=st.sampled_from(SignalKind),
    rejected=st.integers(0, 2**63 - 1),
    message=st.text(max_size=300),
)
def test_partial_success_reads_as_it_was_written(
    kind: SignalKind, rejected: int, message: str
) -> None:
    accepted = Accepted(rejected=rejected, message=message)
    response, field = RESPONSES[kind]
    wanted = response()
    if rejected or message:
        setattr(wanted.partial_success, field, rejected)
        wanted.partial_success.error_message = message

    protobuf = answer.export_response(kind, Encoding.PROTOBUF, accepted)
    text = answer.export_response(kind, Encoding.JSON, accepted)

    assert protobuf == wanted.SerializeToString()
    assert json_format.Parse(text, response()) == wanted


@given(message=st.text(max_size=300))
def test_a_status_reads_as_it_was_written(message: str) -> None:
    protobuf = Status.FromString(answer.status(413, Encoding.PROTOBUF, message))
    assert (protobuf.code, protobuf.message) == (8, message)
    assert json.loads(answer.status(413, Encoding.JSON, message)) == {"code": 8, "message": message}


def test_an_unlisted_status_is_an_unknown_error() -> None:
    assert Status.FromString(answer.status(418, Encoding.PROTOBUF, "")).code == 2


def test_a_grpc_client_is_told_when_to_try_again() -> None:
    status = Status.FromString(answer.retry_status("no room", seconds=1))
    (detail,) = status.details
    retry_info = RetryInfo()
    assert detail.Unpack(retry_info)
    assert (status.code, status.message) == (14, "no room")
    assert retry_info.retry_delay.seconds == 1
