"""What the replay must notice, whoever claims otherwise: stale answers, missing ones, and a wrong text."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.replay import runs
from benchmarks.replay.measures import tally
from benchmarks.replay.policy import Reply
from tests.replay.sessions import PASSAGE, Honest, played


class Untrimmed(Honest):
    """Answers what was written for an earlier text at the present cursor, typed characters and all."""

    def __init__(self, documents, host):
        super().__init__(documents, host)
        self.old = ""

    def reply(self, text, snapshot, offset):
        self.old = self.old or text
        return Reply(self.old, offset)


class Misplaced(Honest):
    """Does not notice that somebody typed while it waited."""

    def changed(self, snapshot, offset): ...


class Forgetful(Honest):
    """Leaves the requests that were overtaken to themselves."""

    async def complete(self, snapshot, offset):
        reply = await super().complete(snapshot, offset)
        if reply.superseded:
            await asyncio.Future()
        return reply


class Broken(Honest):
    """Fails."""

    def reply(self, text, snapshot, offset):
        raise LookupError("not here")


class Greedy(Honest):
    """Replaces what is on the lines below."""

    def reply(self, text, snapshot, offset):
        return Reply(text, offset, replace=5)


class Inventive(Honest):
    """Suggests what no model wrote."""

    def reply(self, text, snapshot, offset):
        return Reply("pass  # " + text, offset)


def test_an_honest_policy_is_neither_stale_nor_silent():
    total = tally([played(Honest, typist) for typist in ("copies", "errs", "accepts")])
    assert (total.stale.total(), total.unanswered) == (0, 0)
    assert total.given > 20
    assert total.free == 0  # it asks at every key
    assert total.given + total.superseded + total.silences.total() == total.keys


@pytest.mark.parametrize(
    ("policy", "typist", "reason"),
    [
        (Untrimmed, "copies", "nobody wrote this here"),
        (Misplaced, "copies", "not where the cursor is"),
        (Misplaced, "errs", "the text it was asked for is gone"),
        (Greedy, "copies", "replaces more than the line"),
        (Inventive, "copies", "nobody wrote this here"),
    ],
)
def test_a_stale_answer_is_caught_and_named(policy, typist, reason):
    found = tally([played(policy, typist)]).stale
    assert found[reason] > 0, found


def test_a_request_without_an_answer_is_caught():
    honest, forgetful = (tally([played(policy)]) for policy in (Honest, Forgetful))
    assert forgetful.unanswered == honest.superseded > 0
    assert forgetful.given == honest.given


def test_a_policy_that_fails_is_no_policy_that_does_not_answer():
    with pytest.raises(LookupError):
        played(Broken)


@pytest.mark.parametrize("name", runs.ENGINES)
@pytest.mark.parametrize("typist", ["copies", "errs", "accepts"])
def test_every_engine_gets_the_passage_typed_and_suggests_nothing_stale(name, typist):
    session = runs.play_scripted(PASSAGE, runs.TYPISTS[typist], runs.ENGINES[name])
    total = tally([session])
    assert session.written == PASSAGE.truth
    assert total.stale == Counter()
    assert total.given > 0
    # Continue's promises are never settled once their timer was cleared: its published defect.
    assert (total.unanswered > 0) is (name == "continue")


def test_who_accepts_presses_fewer_keys_and_ends_with_the_same_text():
    copied, accepted = (played(Honest, typist) for typist in ("copies", "accepts"))
    taken = [key.press.text for key in accepted.keys if key.press.accepts]
    assert accepted.written == copied.written == PASSAGE.truth
    assert len(copied.keys) == len(PASSAGE.keys)
    assert tally([accepted]).saved == len(copied.keys) - len(accepted.keys) > 0
    assert all(len(text) > 1 for text in taken)


class Closing(Honest):
    """Writes the bracket that the editor closed, and replaces that one."""

    def reply(self, text, snapshot, offset):
        return Reply(text + ")", offset, replace=1)


def test_a_suggestion_that_types_a_closer_again_is_accepted_without_it():
    above, truth = PASSAGE.above + "self.radius = check(", "radius, least=0"
    passage = replace(PASSAGE, above=above, truth=truth, below=")" + PASSAGE.below)
    session = played(Closing, "accepts", passage)
    assert session.written == truth
    assert any(key.press.accepts for key in session.keys)
    assert tally([session]).stale == {"nobody wrote this here": tally([session]).given}
