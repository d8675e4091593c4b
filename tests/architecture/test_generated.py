"""Generated files are committed; these tests fail when one is stale."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import PACKAGE

RECEIVERS: Final = PACKAGE / "intake" / "receivers"
PROTOS: Final = ("otlp_wire.proto", "otlp_content.proto")
GENERATED: Final = [
    proto.replace(".proto", ending) for proto in PROTOS for ending in ("_pb2.py", "_pb2.pyi")
]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path=."]
    results = [f"--python_out={folder}", f"--pyi_out={folder}", *PROTOS]
    subprocess.run([*command, *results], cwd=RECEIVERS, check=True)
    return folder


@pytest.mark.parametrize("name", GENERATED)
def test_the_protobuf_modules_are_what_make_proto_writes(generated: Path, name: str) -> None:
    fresh = (generated / name).read_text(encoding="utf-8")
    assert (RECEIVERS / name).read_text(encoding="utf-8") == fresh
