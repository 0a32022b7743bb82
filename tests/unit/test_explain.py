"""What is said of a request, stage by stage: every silence with its meaning, every stage with its time."""

import asyncio
import json
from pathlib import Path

import pytest

from midfill.model import Chunk, Finish, FinishReason, Usage
from midfill.server.cli.complete import complete
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.explain import SILENCES, SOURCES, Line, explain
from midfill.server.completion.policy import PLACES
from midfill.server.completion.run import Answer, Run, Source, Stage
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot
from tests.unit.fakes import Clock
from tests.unit.service_bench import Bench, ended
from tests.unit.test_cli_complete import Bench as CliBench
from tests.unit.test_cli_complete import bench as cli_bench
from tests.unit.test_cli_complete import file, run

__all__ = ["cli_bench", "file"]  # fixtures

USAGE = Usage(prompt_tokens=20, reused_tokens=5, generated_tokens=2, queue_ms=1, prefill_ms=3, decode_ms=4)


class Explained(Bench):
    def __init__(self) -> None:
        super().__init__()
        self.runs: list[tuple[Run, Answer]] = []
        self.service.on_answer = lambda run, answer: self.runs.append((run, answer))

    @property
    def lines(self) -> dict[str, Line]:
        """The last request's, by stage."""
        return {line.stage: line for line in explain(*self.runs[-1], self.service.asking)}

    async def written(self, picture: str, text: str, trigger: Trigger = Trigger.AUTOMATIC) -> None:
        offset = self.type(picture) if self.documents.uris() else self.open(picture)
        task = self.ask(offset, trigger=trigger)
        asked = await self.host.next_asked()
        asked.deliver(Chunk(text, (-0.5,)))
        asked.deliver(Finish(FinishReason.STOP, USAGE))
        await ended(task)


@pytest.fixture
async def bench() -> Explained:
    return Explained()


async def test_an_answer_of_the_model_has_every_stage_in_order(bench: Explained):
    await bench.written("x = ║\n", "print(a)  ")
    said = {stage: (line.said, line.ms) for stage, line in bench.lines.items()}
    assert list(said) == [
        "trigger", "reuse", "debounce", "context", "queue", "prefill", "decode", "stop", "clean-up",
        "confidence", "answer",
    ]  # fmt: skip
    assert said["queue"] == ("waited for the device", 1)
    assert said["prefill"] == ("20 tokens of prompt, 5 reused, 15 read", 3)
    assert said["decode"] == ("2 tokens", 4)
    assert said["stop"] == ("stop: a rule on the text ended it", None)
    assert said["clean-up"][0] == "without_trailing_space"
    assert said["confidence"] == ("0.61, no least is set", None)
    assert said["answer"][0] == "8 characters in 1 line"
    assert all(
        said[stage][1] is not None for stage in ("trigger", "reuse", "debounce", "context", "answer")
    )


@pytest.mark.parametrize(
    ("picture", "written", "rule", "meaning"),
    [
        ("x = ║\ny = call(1)\n", "   ", "without_double_space", ": the model wrote only white space"),
        ("║\ny = call(1)\n", " \n ", "without_trailing_space", ": the model wrote only white space"),
        ("x = ║\ny = call(1)\n", "...", "something_said", ""),
    ],
)
async def test_a_rule_that_drops_everything_is_named(
    bench: Explained, picture: str, written: str, rule: str, meaning: str
):
    await bench.written(picture, written)
    assert bench.lines["clean-up"].said.split(", ")[-1] == rule
    assert bench.lines["answer"].said == f"nothing: dropped by {rule}{meaning}"


@pytest.mark.parametrize(("picture", "code"), [("to║tal = 10000\n", "mid-word"), ("x║", "nearly-empty")])
async def test_a_silence_says_why(bench: Explained, picture: str, code: str):
    bench.settings = Settings(debounce_ms=0, write_ahead="off")
    await bench.get(picture)
    assert list(bench.lines) == ["trigger", "reuse", "answer"]
    assert bench.lines["trigger"].said == f"silent: {code}: {SILENCES[code]}"
    await bench.written(picture, "abc", Trigger.INVOKED)
    assert f"while typing: silent ({code}" in bench.lines["trigger"].said


async def test_what_is_at_hand_has_no_stages_of_a_model(bench: Explained):
    await bench.written("x = ║\n", "abc")
    await bench.get("x = a║\n")
    assert list(bench.lines) == ["trigger", "reuse", "answer"]
    assert bench.lines["reuse"].said == SOURCES[Source.TYPED_THROUGH]


async def test_doubts_are_said_with_both_figures(bench: Explained):
    least = Settings(debounce_ms=0, silences_off=tuple(PLACES), write_ahead="off", min_confidence=0.7)
    bench.settings = least
    await bench.written("x = ║\n", "abc")
    assert bench.lines["confidence"].said == "0.61, below 0.70"
    assert bench.lines["answer"].said == f"nothing: low-confidence: {SILENCES['low-confidence']}"
    await bench.written("y = ║\n", "abc", Trigger.INVOKED)
    assert bench.lines["confidence"].said == "0.61, below 0.70 (asked by hand: does not count)"


async def test_a_stage_takes_from_the_end_of_the_one_before_it(monkeypatch: pytest.MonkeyPatch):
    clock = Clock()
    run = Run(new_snapshot("file:///a.py", 1, "python", ""), 0, Trigger.AUTOMATIC)
    run.began = run._since = clock.now
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock)
    clock.now += 1
    assert run.did("reuse", "value") == "value"
    clock.now += 2
    run.did("prompt", None)
    monkeypatch.undo()
    assert run.stages == [Stage("reuse", 1000), Stage("prompt", 2000)]


def test_every_code_of_a_place_has_a_meaning():
    assert set(PLACES) <= set(SILENCES)


def test_the_command_says_the_stages_on_stderr_and_the_suggestion_alone_on_stdout(
    cli_bench: CliBench, file: Path
):
    done = run(complete, f"{file}:3:12", "--explain")
    assert done.stdout == "sum(values)\n"
    stages = [line.split()[0] for line in done.stderr.splitlines()]
    assert stages[:2] == ["trigger", "reuse"]
    assert stages[-2:] == ["confidence", "answer"]
    found = json.loads(run(complete, f"{file}:3:12", "--explain", "--json").stdout)
    assert [line["stage"] for line in found["explain"]] == stages
    assert found["explain"][stages.index("prefill")]["ms"] == 3.2


def test_the_command_asks_as_typing_does_where_it_is_told_to(cli_bench: CliBench, file: Path):
    cli_bench.answering("di")
    by_hand = run(complete, f"{file}:2:7", "--explain")
    assert by_hand.stdout == "di\n"
    typing = run(complete, f"{file}:2:7", "--explain", "--automatic")
    assert typing.stdout == ""
    assert "silent: mid-word: the cursor stands inside a word" in typing.stderr
