"""`make verify-codellama`, on what is here: a tokenizer that is right, weights that are not."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks import report
from tests.model.evaluation_data import shared, shared_tokenizer
from tools import verify_codellama
from tools.verify_codellama import ANSWER, DECIDING, NAME, PSM, main

ROOT = Path(__file__).parents[1]
UNVERIFIED = "weights **unverified**: `make verify-codellama MODEL=…`"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Code Llama's vocabulary, and random weights of far fewer numbers."""
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    folder = tmp_path / NAME
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=32016, bos_token_id=1, eos_token_id=2, **size)
    LlamaForCausalLM(config).save_pretrained(folder)
    shared_tokenizer("codellama-reconstructed").save(str(folder / "tokenizer.json"))
    shutil.copy(shared("tokenizers", "llama2.tokenizer.model"), folder / "tokenizer.model")
    return folder


def written(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (folder.parent / "results" / "verify-codellama.json").read_text("utf-8")
    )
    return found


def failed(folder: Path) -> list[str]:
    return [row["check"] for row in written(folder)["rows"] if row["verdict"] == "failed"]


SIZE, WEIGHTS = "the size of 7B", "the greedy answer to Meta's example begins 15941 1661 29899"


def test_random_weights_fail_and_nothing_else_does(folder: Path) -> None:
    assert main([str(folder)]) == 1
    result = written(folder)
    assert failed(folder) == [SIZE, WEIGHTS]
    verdicts = [row["verdict"] for row in result["rows"]]
    assert (verdicts.count("passed"), verdicts.count("not run")) == (10, 0)
    assert result["summary"]["verified"] == 0
    assert {"sha256_model.safetensors", "sha256_tokenizer.json"} <= result["summary"].keys()
    assert {"date", "versions"} <= result.keys()
    assert str(folder.parent) not in json.dumps(result)  # whose machine it was is nobody's business


def test_weights_that_answer_as_7b_does_pass(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stream(self: Any, cache: Any, job: Any) -> Any:
        assert job.prompt == PSM
        cache.tokens[:] = [*PSM, *ANSWER[:DECIDING], 7]  # what comes behind does not decide
        return iter(())

    monkeypatch.setattr("midfill.model.backends.hf.decode.DecodeLoop.stream", stream)
    monkeypatch.setattr("midfill.model.backends.hf.backend.TransformersBackend.load", load_without_passes)
    monkeypatch.setattr(verify_codellama, "SHAPE", {"model_type": "llama", "vocab_size": 32016})
    assert main([str(folder)]) == 0
    assert written(folder)["summary"]["verified"] == 1


def load_without_passes(self: Any, report: Any) -> Any:
    self.read(report)
    return type("Info", (), {"dialect": "codellama", "dtype": "float32", "device": "cpu"})


def test_a_tokenizer_with_a_wrong_marker_fails(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text("utf-8").replace("▁<MID>", "▁<XXX>"), encoding="utf-8")
    assert main([str(folder)]) == 1
    assert "markers" in failed(folder)


def test_a_tokenizer_that_merges_otherwise_fails(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["merges"] = [
        m for m in tokenizer["model"]["merges"] if "".join(m) not in ("return", "▁return")
    ]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    assert main([str(folder)]) == 1
    found = failed(folder)
    assert {"PSM prompt of Meta's example", "SPM prompt of Meta's example"} <= set(found)
    assert any("tokenizer.model" in check for check in found)
    assert any("codellama_spm" in check for check in found)


def test_what_cannot_be_checked_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([""]) == 2
    assert "MODEL=/path/to" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
    (folder / "tokenizer.json").rename(folder / "other.json")
    assert main([str(folder)]) == 2
    assert "has no tokenizer.json" in capsys.readouterr().err
    (folder / "other.json").rename(folder / "tokenizer.json")
    (folder / "config.json").write_text('{"model_type": "qwen2"}', encoding="utf-8")
    assert main([str(folder)]) == 2
    assert "'qwen2'" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def agree(readme: str, result: dict[str, Any]) -> bool:
    """Whether README calls the weights unverified exactly as long as no result says otherwise."""
    return (UNVERIFIED in readme) is (result.get("summary", {}).get("verified") != 1)


def test_readme_says_unverified_until_a_result_is_there() -> None:
    path = report.RESULTS / "verify-codellama.json"
    result = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    readme = (ROOT / "README.md").read_text("utf-8")
    assert agree(readme, result)
    assert not agree(readme.replace("unverified", "verified"), result)
    assert not agree(readme, {} if result else {"summary": {"verified": 1}})
