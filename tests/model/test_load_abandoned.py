"""A load that is given up at any point: nothing half-made stays, and the next load works."""

from itertools import count
from pathlib import Path

import pytest

from midfill.model.api import LoadProgress
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.errors import GenerationError
from midfill.model.store import local as local_module
from midfill.model.store.local import LocalModel, WeightFormat
from tests.model.backends import CONFIG, REQUEST, text
from tests.model.tiny import make_model, make_tokenizer, write_gguf


class AbandonedError(Exception):
    pass


class Report:
    """Raises at the call number `at`, from 0 on."""

    def __init__(self, at: int = -1) -> None:
        self.at, self.calls = at, list[str]()

    def __call__(self, progress: LoadProgress) -> None:
        self.calls.append(progress.stage)
        if len(self.calls) == self.at + 1:
            raise AbandonedError


def left_behind(cache: Path) -> list[str]:
    """What a conversion has not finished: hidden folders."""
    return [path.name for path in cache.rglob(".*")]


def test_a_load_given_up_at_any_point_leaves_nothing_half_done_and_the_next_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setattr(local_module, "cache_root", lambda: cache)
    file = write_gguf(tmp_path / "tiny.gguf", make_model("qwen2"), make_tokenizer())
    # A name of nobody's: the trial of its dialect is one of the points.
    model = LocalModel("some-model", file, WeightFormat.GGUF, "0" * 64)
    points = list[str]()
    for _ in range(2):  # the second time there is no conversion, and so every call after it has its turn
        for at in count():
            backend, report = TransformersBackend(CONFIG, model), Report(at)
            try:
                backend.load(report)
            except AbandonedError:
                points.append(report.calls[-1])
            else:
                break
            with pytest.raises(GenerationError, match="not loaded"):
                list(backend.stream(REQUEST))
            assert left_behind(cache) == []
    assert {*points} == {"convert", "load", "warm-up"}
    assert len(points) > 5
    assert text(list(backend.stream(REQUEST)))
    again = Report(0)
    with pytest.raises(AbandonedError):  # also where a model runs already
        backend.load(again)
    backend.load(Report())
    assert text(list(backend.stream(REQUEST)))
