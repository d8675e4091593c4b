"""Generated files are committed; these tests fail when one is stale."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import PACKAGE

RECEIVERS: Final = PACKAGE / "intake" / "receivers"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path=."]
    results = [f"--python_out={folder}", f"--pyi_out={folder}", "otlp_wire.proto"]
    subprocess.run([*command, *results], cwd=RECEIVERS, check=True)
    return folder


@pytest.mark.parametrize("name", ["otlp_wire_pb2.py", "otlp_wire_pb2.pyi"])
def test_the_protobuf_module_is_what_make_proto_writes(generated: Path, name: str) -> None:
    fresh = (generated / name).read_text(encoding="utf-8")
    assert (RECEIVERS / name).read_text(encoding="utf-8") == fresh
