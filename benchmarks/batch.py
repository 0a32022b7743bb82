"""Questions of one unit-test action to the default model: as one batch, and one after the other.

Every 10th function of HumanEval, its questions as the action asks them, through the worker; by turns in
both ways, beginning with the one or the other, each with empty KV caches. Summary: `batch_speedup`, the
median of how many times faster the batch is; `batch_same_share`, of how many functions all answers are the
same; `most_chats`, how many questions this machine's memory lets the model take at once (1: no batch).
"""

import argparse
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from statistics import median
from typing import Any

from benchmarks.act.problems import subject_of
from benchmarks.evaluation_data import PROBLEMS, read_rows
from benchmarks.report import Row, report
from midfill.model import (
    CancelToken,
    ChatRequest,
    Chunk,
    Event,
    Finish,
    Lane,
    ModelError,
    ModelInfo,
    Worker,
)
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.server.actions.unit_tests import asking
from midfill.server.actions.unit_tests.showing import context_of
from midfill.server.actions.unit_tests.write import CANDIDATES

EACH = 10
IN_TURN, BATCH = "one after the other", "one batch"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    backend, worker = started(parser.parse_args().model)
    most = {IN_TURN: 1, BATCH: backend.most_chats}
    seconds: dict[str, list[float]] = {way: [] for way in most}
    same = []
    for number, problem in enumerate(read_rows(PROBLEMS)[::EACH]):
        said = {}
        for way in sorted(most, reverse=bool(number % 2)):
            backend._chat.drop()
            backend._chat.most = most[way]
            took, said[way] = answered(worker, questions(problem))
            seconds[way].append(took)
        same.append(said[IN_TURN] == said[BATCH])
    worker.close()
    rows: list[Row] = [
        {"questions": way, "functions": len(took), "median s": median(took), "total s": sum(took)}
        for way, took in seconds.items()
    ]
    ratios = [alone / batch for alone, batch in zip(*seconds.values(), strict=True)]
    share = sum(same) / len(same)
    figures = {"batch_speedup": median(ratios), "batch_same_share": share, "most_chats": most[BATCH]}
    report("batch", rows, figures)


def started(model: str) -> tuple[Any, Worker]:
    """The backend and its worker, loaded."""
    from midfill.model.backends.hf.backend import TransformersBackend
    from midfill.model.config import ModelConfig

    backend, loaded = TransformersBackend(ModelConfig(model=model)), Future[ModelInfo | ModelError]()
    worker = Worker(lambda: backend)
    worker.load(lambda _: None, loaded.set_result)
    outcome = loaded.result()
    if isinstance(outcome, ModelError):
        raise SystemExit(f"{model}: {outcome}")
    return backend, worker


def questions(problem: dict[str, str]) -> list[ChatRequest]:
    subject = subject_of(problem)
    return asking.requests(subject.function, context_of(subject.text, subject.function), CANDIDATES)


def answered(worker: Worker, requests: Sequence[ChatRequest]) -> tuple[float, list[str]]:
    """(seconds until all are answered, the answers)."""
    answers, finished = ["" for _ in requests], threading.Semaphore(0)
    began = time.perf_counter()
    for number, request in enumerate(requests):

        def take(event: Event, number: int = number) -> None:
            if isinstance(event, Chunk):
                answers[number] += event.text
            elif isinstance(event, Finish):
                finished.release()

        worker.submit(request, CancelToken(), take, Lane.CHAT)
    for _ in requests:
        finished.acquire()
    return time.perf_counter() - began, answers


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
