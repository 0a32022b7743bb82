"""The same replay by the clock, with a loaded model on its own thread: here the scripted backend."""

from functools import partial

import pytest

from benchmarks.replay import runs, session
from benchmarks.replay.measures import tally
from benchmarks.replay.policies import ours
from benchmarks.replay.runs import NoModel, with_model
from midfill.model.config import ModelConfig
from midfill.server.settings import Settings
from tests.replay.sessions import PASSAGE


@pytest.fixture(autouse=True)
def quick_typists(monkeypatch):
    """They wait for nothing: what is answered in between is luck, that it is answered is not."""
    monkeypatch.setattr(session, "gaps", lambda passage: {})
    monkeypatch.setattr(session, "GAP_MEDIAN_S", 0.0)


@pytest.fixture(autouse=True)
def scripted_settings(monkeypatch):
    """What the scripted backend writes is no code, and is shown only where the settings name it."""
    for module in (ours, runs):
        monkeypatch.setattr(module, "Settings", partial(Settings, backend="scripted"))


async def test_every_typist_gets_a_turn_and_every_key_its_answer():
    played = await with_model([PASSAGE, PASSAGE], 0.0, ModelConfig(backend="scripted"))
    assert [len(sessions) for sessions in played.values()] == [1, 1, 1]  # one passage at least
    for (done,) in played.values():
        total = tally([done])
        assert done.written == PASSAGE.truth
        assert (total.unanswered, total.stale.total()) == (0, 0)
        assert total.given > 0
        assert total.decodes > 0


async def test_without_a_model_the_reason_is_told(tmp_path):
    with pytest.raises(NoModel, match="nowhere"):
        await with_model([PASSAGE], 0.0, ModelConfig(model=str(tmp_path / "nowhere")))
