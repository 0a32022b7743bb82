"""What is measured against what: engines in processes of their own, all asked the same way.

An engine takes token ids and says how long they took. A child of this project's speaks JSON, a line each
way; `child_main` is its end of it. What a child prints must go to stderr.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import psutil

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Timing:
    """One answer. Decoding begins where the first token is known: that one belongs to the prompt."""

    prefill_ms: float
    fresh: int
    """Prompt tokens that were computed, not found in the KV cache."""
    decode_ms: float
    steps: int
    """Tokens behind the first."""
    drafted: int = 0
    accepted: int = 0

    @property
    def prefill_per_s(self) -> float:
        return 1000 * self.fresh / self.prefill_ms

    @property
    def decode_per_s(self) -> float:
        return 1000 * self.steps / self.decode_ms


class Engine(Protocol):
    """Something that continues token ids greedily."""

    name: str

    def run(self, prompt: Sequence[int], steps: int, keep: bool = False) -> Timing:
        """Continue `prompt` by a token and so many `steps`; `keep`: with what the KV cache has of it."""
        ...

    def rss_mib(self) -> float: ...

    def close(self) -> None: ...


class Child:
    """An engine of this project: `python -m MODULE ARGS`. Raises RuntimeError when it has died."""

    def __init__(self, name: str, module: str, *args: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def ask(self, do: str, **arguments: Any) -> Any:
        """What the child answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.name} has ended with code {self._process.wait()}")
        return json.loads(line)

    def run(self, prompt: Sequence[int], steps: int, keep: bool = False) -> Timing:
        return Timing(**self.ask("run", prompt=list(prompt), steps=steps, keep=keep))

    def rss_mib(self) -> float:
        return rss_mib(self._process.pid)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def child_main(doings: Mapping[str, Callable[..., Any]]) -> None:
    """Do what each line of stdin names, until it ends."""
    for line in sys.stdin:
        arguments = json.loads(line)
        answer = doings[arguments.pop("do")](**arguments)
        print(json.dumps(answer, default=asdict), flush=True)


def rss_mib(pid: int) -> float:
    """Resident memory, mapped files included."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20
