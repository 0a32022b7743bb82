"""`midfill complete` and `midfill doctor`, on backends that a test holds in its hands."""

import json
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from midfill.model import Chunk, Finish, FinishReason, ModelConfig, Usage
from midfill.model.errors import BadConfig, NoModel
from midfill.server import logs, model_host
from midfill.server.cli.complete import complete
from midfill.server.cli.doctor import doctor
from tests.unit.fakes import INFO, GatedBackend

CODE = "é = 1\ndef mean(values):\n    return \n"
USAGE = Usage(prompt_tokens=20, reused_tokens=5, generated_tokens=2, prefill_ms=3.25, decode_ms=4.0)


class Bench:
    """The backend that commands get, and the configurations they asked for it with."""

    def __init__(self) -> None:
        self.backend = self.answering("sum(values)")
        self.configs: list[ModelConfig] = []

    def make(self, config: ModelConfig) -> GatedBackend:
        self.configs.append(config)
        return self.backend

    def answering(self, text: str, end: Finish | Exception | None = None) -> GatedBackend:
        script = (Chunk(text), end or Finish(FinishReason.EOT, USAGE))
        self.backend = GatedBackend(script, gated=False)
        return self.backend


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench()
    monkeypatch.setattr(model_host, "make_backend", bench.make)
    monkeypatch.setattr(logs, "configure", lambda level: None)  # levels are the whole process's
    return bench


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_text(CODE, encoding="utf-8")
    return path


def run(command: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_suggestion_is_all_of_stdout(bench: Bench, file: Path) -> None:
    done = run(complete, f"{file}:3:12")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "sum(values)\n", "")


def test_as_json_it_is_the_fields_of_the_contract(bench: Bench, file: Path) -> None:
    found = json.loads(run(complete, f"{file}:3:12", "--json").stdout)
    assert set(found) == {"text", "range", "finish_reason", "timings_ms", "tokens"}
    here = {"line": 3, "column": 12}
    assert found["range"] == {"start": here, "end": here}
    assert (found["text"], found["finish_reason"]) == ("sum(values)", "eot")
    assert set(found["timings_ms"]) == {"load", "prefill", "decode", "total"}
    assert (found["timings_ms"]["prefill"], found["timings_ms"]["decode"]) == (3.2, 4.0)
    wanted = {"prompt": 20, "reused": 5, "generated": 2, "drafted": 0, "accepted": 0}
    assert found["tokens"] == wanted


def test_a_range_covers_what_is_replaced_and_counts_code_points(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("x = '😀' + f()\n", encoding="utf-8")
    bench.answering("1)")
    found = json.loads(run(complete, f"{tmp_path / 'b.py'}:1:13", "--json").stdout)
    assert found["range"]["start"] == {"line": 1, "column": 13}
    assert found["range"]["end"] == {"line": 1, "column": 14}


def test_options_reach_the_model(bench: Bench, file: Path) -> None:
    given = "--backend scripted --model m --device cpu --dtype float32 --quantization int8 --threads 2"
    run(complete, f"{file}:3:12", *given.split(), "--fim-dialect", "none", "--context-tokens", 900)
    config = bench.configs[0]
    assert (config.backend, config.model, config.device, config.dtype) == (
        "scripted",
        "m",
        "cpu",
        "float32",
    )
    assert (config.quantization, config.threads) == ("int8", 2)
    assert (config.fim_dialect, config.context_tokens) == ("none", 900)


@pytest.mark.parametrize("command", [complete, doctor])
@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--backend", "vllm", "midfill.backend: expected one of"),
        ("--dtype", "int3", "midfill.dtype: expected one of"),
        ("--quantization", "int3", "midfill.quantization: expected one of"),
        ("--fim-dialect", "nobodys", "midfill.fimDialect: expected one of"),
        ("--threads", "-1", "midfill.threads: expected at least 0"),
        ("--context-tokens", "-1", "midfill.contextTokens: expected at least 0"),
    ],
)
def test_a_bad_option_is_named_before_anything_is_loaded(
    bench: Bench, file: Path, command: click.Command, option: str, value: str, says: str
) -> None:
    place = [f"{file}:3:12"] if command is complete else []
    done = run(command, *place, option, value)
    assert (done.exit_code, done.stdout, bench.configs) == (1, "", [])
    assert says in done.stderr


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("{}", "is not FILE:LINE:COL"),
        ("{}:3", "is not FILE:LINE:COL"),
        ("{}:0:1", "has 4 lines; there is no line 0"),
        ("{}:9:1", "has 4 lines; there is no line 9"),
        ("{}:1:7", "has 5 characters; there is no column 7"),
        ("{}:1:0", "there is no column 0"),
        ("{}x:1:1", "cannot read"),
        ("{}/..:1:1", "cannot read"),
    ],
)
def test_a_place_that_is_none_is_said(bench: Bench, file: Path, place: str, says: str) -> None:
    done = run(complete, place.format(file))
    assert (done.exit_code, done.stdout, bench.configs) == (1, "", [])
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_no_text_is_said(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in run(complete, f"{tmp_path / 'x.bin'}:1:1").stderr


@pytest.mark.parametrize("command", [complete, doctor])
@pytest.mark.parametrize(
    "failure", [NoModel("m is not installed: get it with `midfill model pull m`."), BadConfig("not here")]
)
def test_a_model_that_cannot_be_had_is_one_sentence(
    bench: Bench, file: Path, command: click.Command, failure: Exception
) -> None:
    bench.backend.load_failure = failure
    done = run(command, *([f"{file}:3:12"] if command is complete else []), "--model", "m")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == f"midfill: {failure}"


@pytest.mark.parametrize("how", [(), ("--json",), ("--quiet",)])
def test_a_request_that_fails_is_no_success(bench: Bench, file: Path, how: tuple[str, ...]) -> None:
    bench.answering("s", Finish(FinishReason.ERROR, message="not enough memory"))
    done = run(complete, f"{file}:3:12", *how)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "midfill: not enough memory\n")


def test_nothing_to_suggest_is_said_and_no_failure(bench: Bench, file: Path) -> None:
    bench.answering("")
    done = run(complete, f"{file}:3:12")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "midfill: nothing to suggest here (empty)\n"


def test_what_differs_from_what_was_asked_for_is_said_unless_quiet(bench: Bench, file: Path) -> None:
    bench.backend.info = replace(
        INFO, left_to_right="its markers were never trained", note="a shorter context"
    )
    done = run(complete, f"{file}:3:12")
    assert done.stderr.splitlines() == [
        "midfill: fake completes left to right: its markers were never trained",
        "midfill: a shorter context",
    ]
    quiet = run(complete, f"{file}:3:12", "--quiet")
    assert (quiet.stdout, quiet.stderr) == ("sum(values)\n", "")


def test_the_doctor_says_what_runs_and_how_fast(bench: Bench) -> None:
    bench.backend.info = replace(INFO, dialect="", left_to_right="it has no markers")
    done = run(doctor)
    assert done.exit_code == 0
    for part in ("python", "torch", "memory", "fake", "512 tokens", "3 ms for", "15 tokens (5 reused)"):
        assert part in done.stdout
    assert "no: completes left to right: it has no markers" in " ".join(done.stdout.split())
    assert "'sum(values)'" in done.stdout


def test_a_doctors_completion_that_fails_is_the_last_line(bench: Bench) -> None:
    bench.answering("s", Finish(FinishReason.ERROR, message="not enough memory"))
    done = run(doctor)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "midfill: not enough memory"
