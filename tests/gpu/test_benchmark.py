"""The GPU's benchmark runs: it would rot unseen where there is none."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpu, gpu_timing, report
from benchmarks.gpu_models import SHAPES


def test_the_whole_script_runs_on_a_cpu_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(gpu, "MAIN", "tiny")
    monkeypatch.setattr(gpu, "KEY_CONTEXT", 64)
    monkeypatch.setattr(gpu_timing, "NEW_TOKENS", 4)
    asked = "--device cpu --shape tiny --bits none --context 64 --context 96 --path eager"
    monkeypatch.setattr("sys.argv", ["gpu", *asked.split()])
    gpu.main()
    said = json.loads(capsys.readouterr().out)
    assert not (tmp_path / "results").exists()
    assert [row["context"] for row in said["rows"]] == [64, 96]
    assert {len(row) for row in said["rows"]} == {3 + len(gpu.COLUMNS)}
    summary = said["summary"]
    measured = {"decode_vs_floor_7b_2k", "decode_vs_generate", "ttft_reuse_ms", "line_ms", "cancel_ms"}
    assert all(summary[key] > 0 for key in {*measured, "warmup_s"})
    for key in {"decode_vs_floor_7b_16k", "int8_vs_bf16", "speculation_gain"}:
        assert summary[key] is None
        assert summary[f"{key}_reason"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_without_cuda_it_says_so_and_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["gpu"])
    with pytest.raises(SystemExit, match="needs an NVIDIA GPU"):
        gpu.main()


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("codellama-7b", 6.74),
        ("codellama-13b", 13.0),
        ("qwen2.5-coder-1.5b", 1.54),
        ("qwen2.5-coder-7b", 7.6),
    ],
)
def test_the_shapes_are_those_of_the_models(name: str, billions: float) -> None:
    sizes = SHAPES[name]
    embeddings = 0 if sizes.tied else sizes.vocabulary * sizes.hidden
    assert (sizes.linear_weights + embeddings) / 1e9 == pytest.approx(billions, rel=0.01)
