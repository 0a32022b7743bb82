import contextlib
import struct
from pathlib import Path

import pytest
from gguf import GGUFWriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midfill.model.errors import DamagedModel, ModelError, UnsupportedModel
from midfill.model.store.gguf_header import check_gguf
from tests.store.making import gguf_bytes

CONTENT = gguf_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.gguf"


def test_a_whole_file_passes(path: Path) -> None:
    path.write_bytes(CONTENT)
    check_gguf(path)


def test_a_file_cut_anywhere_is_refused(path: Path) -> None:
    data = len(CONTENT) - len(CONTENT.rstrip(b"\0"))  # the writer pads the last tensor
    for size in range(len(CONTENT) - data):
        path.write_bytes(CONTENT[:size])
        with pytest.raises(DamagedModel):
            check_gguf(path)


def test_another_kind_of_file_is_named_as_such(path: Path) -> None:
    path.write_bytes(b"<!doctype html><title>Sign in</title>")
    with pytest.raises(DamagedModel, match="not a GGUF file"):
        check_gguf(path)


def test_an_unknown_version_is_not_called_damaged(path: Path) -> None:
    path.write_bytes(CONTENT[:4] + struct.pack("<I", 9) + CONTENT[8:])
    with pytest.raises(UnsupportedModel, match="version 9"):
        check_gguf(path)


def test_a_file_without_weights_is_refused(path: Path) -> None:
    writer = GGUFWriter(path, "qwen2")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(UnsupportedModel, match="holds no weights"):
        check_gguf(path)


def test_one_part_of_a_split_model_is_refused(path: Path) -> None:
    writer = GGUFWriter(path, "qwen2")
    writer.add_uint16("split.count", 3)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(UnsupportedModel, match="split"):
        check_gguf(path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(4, len(CONTENT) - 9), value=st.integers(0, 2**64 - 1))
def test_no_damaged_count_makes_it_hang_or_crash(path: Path, at: int, value: int) -> None:
    path.write_bytes(CONTENT[:at] + struct.pack("<Q", value) + CONTENT[at + 8 :])
    with contextlib.suppress(ModelError):
        check_gguf(path)
