"""HumanEval left to right by the default model: pass@1 greedy, pass@k of samples, in the sandbox.

No LSP and no pipeline: what the loaded weights can do with the kernels that are served. `--samples N`
adds N samples at `--temperature`, of every problem or of `--sampled M`, and pass@k for k = 1, 10, 100 up to
N (unbiased). `--rows N` takes so many problems; `--resume FILE` keeps what is written, row by row.
"""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from benchmarks.alone import load_alone
from benchmarks.evaluation_data import PROBLEMS, read_rows
from benchmarks.measure.kept import Kept
from benchmarks.report import Row, report
from benchmarks.significance import pass_at_k, share
from midfill.server.sandbox import Job, Sandbox, SandboxRefused, open_sandbox

NEW_TOKENS = 384
"""The longest solution has 239 tokens (evaluation.md §5)."""
STOPS = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint", "\nassert ", "\n@", "\n```")
"""Where the function is over: Chen et al. 2021, §2.1, and what chat models put behind it."""
KS = (1, 10, 100)
TEMPERATURE = 0.8
"""Chen et al. 2021: best for pass@100."""
GREEDY = "greedy"

Problem = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=0, help="so many problems, evenly spread (0: all)")
    parser.add_argument("--samples", type=int, default=0)
    parser.add_argument("--sampled", type=int, default=0, help="samples of so many problems (0: all)")
    parser.add_argument("--temperature", type=float, default=TEMPERATURE)
    parser.add_argument("--resume", type=Path, default=Path(os.devnull))
    asked = parser.parse_args()
    try:
        reason = "" if PROBLEMS.is_file() else "no evaluation data here"
        sandbox = open_sandbox()
    except SandboxRefused as refused:
        reason = str(refused)
    if reason:
        missing = {"pass_at_1_greedy": None, "pass_at_1_greedy_reason": reason}
        report("humaneval", [{"problems": 0}], missing, write=False)
        return
    problems = spread(read_rows(PROBLEMS), asked.rows)
    kept = Kept(asked.resume)
    names = [f"t={asked.temperature} {n}" for n in range(asked.samples)]
    sampled = spread(problems, asked.sampled) if names else []
    writer = cache(Writer)
    greedy = judged(problems, [GREEDY], 0.0, kept, sandbox, writer)
    drawn = judged(sampled, names, asked.temperature, kept, sandbox, writer)
    rows = summed(greedy, drawn)
    report("humaneval", rows, {row["key"]: row["share"] for row in rows}, write=not asked.rows)


def spread(problems: Sequence[Problem], count: int) -> list[Problem]:
    count = min(count or len(problems), len(problems))
    return [problems[at * len(problems) // count] for at in range(count)]


def judged(
    problems: Sequence[Problem],
    names: Sequence[str],
    temperature: float,
    kept: Kept,
    sandbox: Sandbox,
    writer: "Callable[[], Writer]",
) -> dict[str, list[bool]]:
    """By problem: whether the answer called `name` passed, for each of `names`. `writer()` is called where
    an answer is not kept.
    """
    passed: dict[str, list[bool]] = {}
    for at, problem in enumerate(problems, 1):
        for name in names:
            key = f"{problem['task_id']} {name}"
            row = kept.get(key)
            if row is None:
                text = writer().write(problem["prompt"], temperature)
                outcome = sandbox.run(Job.of_code(program(problem, text)))
                row = {"task_id": key, "text": text, "passed": outcome.passed, "hit": outcome.killed}
                kept.add(row)
            passed.setdefault(problem["task_id"], []).append(row["passed"])
        if at % 20 == 0:
            print(f"{at} of {len(problems)}", flush=True)
    return passed


def program(problem: Problem, text: str) -> str:
    return f"{problem['prompt']}{text}\n{problem['test']}\ncheck({problem['entry_point']})"


def summed(greedy: dict[str, list[bool]], drawn: dict[str, list[bool]]) -> list[Row]:
    """A line a figure: the greedy answers first, then pass@k for each k that there are samples for."""
    scores = [(name, float(answers[0])) for name, answers in greedy.items()]
    rows = [{"key": "pass_at_1_greedy"} | share("pass@1 greedy", scores)]
    samples = min(map(len, drawn.values()), default=0)
    for k in (k for k in KS if k <= samples):
        scores = [(name, pass_at_k(samples, sum(answers), k)) for name, answers in drawn.items()]
        rows.append({"key": f"pass_at_{k}"} | share(f"pass@{k} of {samples}", scores))
    return rows


def until_over(pieces: Iterable[str]) -> str:
    """The text up to the first thing that is no more of the function."""
    text = ""
    for piece in pieces:
        text += piece
        found = [at for stop in STOPS if (at := text.find(stop)) >= 0]
        if found:
            return text[: min(found)]
    return text


class Writer:
    """The default model with the kernels that are served."""

    def __init__(self) -> None:
        self._alone = load_alone()
        self._cache = self._alone.new_cache()

    def write(self, prompt: str, temperature: float) -> str:
        from midfill.model.api import Chunk
        from midfill.model.backends.hf.job import Job as Decode

        loaded = self._alone.loaded
        ids = loaded.tokenizer.encode(prompt)
        job = Decode(ids, NEW_TOKENS, loaded.stop_ids, temperature=temperature)
        stream = self._alone.loop.stream(self._cache, job)
        return until_over(event.text for event in stream if isinstance(event, Chunk))


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
