"""Model files small enough to make on the spot."""

import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from gguf import GGUFWriter
from safetensors.numpy import save


@cache
def gguf_bytes(fill: float = 1.0) -> bytes:
    """A GGUF file as llama.cpp's own writer makes it: strings, arrays, scalars, two tensors."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.gguf"
        writer = GGUFWriter(path, "qwen2")
        writer.add_context_length(128)
        writer.add_float32("qwen2.rope.freq_base", 10000.0)
        writer.add_array("tokenizer.ggml.tokens", ["a", "bc", "def"])
        writer.add_array("tokenizer.ggml.scores", [0.5, 0.25, 0.125])
        writer.add_bool("tokenizer.ggml.add_bos_token", False)
        writer.add_tensor("token_embd.weight", np.full((3, 8), fill, dtype=np.float32))
        writer.add_tensor("output.weight", np.full((5, 8), fill, dtype=np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def safetensors_bytes(fill: float = 1.0) -> bytes:
    return save({"w": np.full((4, 4), fill, dtype=np.float32)})


def repo_files(fill: float = 1.0) -> dict[str, bytes]:
    """A safetensors repository as hubs have them, with the files in it that nobody should take."""
    return {
        "config.json": json.dumps({"model_type": "qwen2"}).encode(),
        "tokenizer.json": b"{}",
        "model.safetensors": safetensors_bytes(fill),
        "LICENSE": b"Apache License, Version 2.0 ...",
        "README.md": b"# Model",
        "pytorch_model.bin": b"\x80\x04pickle",
        "modeling_custom.py": b"raise SystemExit('never run')",
    }


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
