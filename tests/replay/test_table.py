"""The table: the same from every run, and its figures are what their names say."""

import os
import subprocess
import sys

import pytest

from benchmarks import typing
from benchmarks.replay import runs
from benchmarks.replay.ledger import Decode, Ledger
from benchmarks.replay.measures import curve, tally
from benchmarks.replay.policy import Reply
from benchmarks.replay.script import Script
from benchmarks.replay.session import Key, Session
from benchmarks.replay.typists import Press
from midfill.model import Lane
from tests.replay.sessions import PASSAGE

PRINT_TABLE = """
from benchmarks import typing
from benchmarks.replay import runs
from tests.replay.sessions import PASSAGE
for name, engine in runs.ENGINES.items():
    played = runs.scripted([PASSAGE], engine)
    print(typing.table(name, played), typing.reasons(name, played), typing.summarised(played))
"""


def test_the_same_seed_gives_the_same_table_in_every_process():
    tables = []
    for hashing in "12":
        environment = {**os.environ, "PYTHONHASHSEED": hashing, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", PRINT_TABLE]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        tables.append(ended.stdout)
    assert tables[0] == tables[1]
    assert tables[0].count("'policy'") > 3 * len(runs.ENGINES)


def key(written: str, suggested: str = "", at: float = 0.0, **more) -> Key:
    """A key after which `written` stands there, and its answer half a second later."""
    reply = Reply(suggested, len(PASSAGE.above) + len(written), **more)
    shown = written + suggested if suggested else ""
    return Key(Press(written[-1:]), at, written, at + 0.5, reply, shown)


def decode(number: int, typed: str, *tokens: str, at: float = 0.0, lane: Lane = Lane.FIM) -> Decode:
    found = Decode(number, lane, at, typed)
    for token in tokens:
        found.text += token
        found.ends.append(len(found.text))
        found.logprobs.append(-0.5)
    return found


def session(keys: list[Key], decodes: list[Decode]) -> Session:
    ledger = Ledger(None, Script(PASSAGE))
    ledger.decodes = decodes
    return Session(PASSAGE, ledger, keys)


def test_a_key_is_free_when_the_model_was_not_asked_for_it():
    keys = [key("s", "elf"), key("se", "lf"), key("sel", "f", at=9.0)]
    asked = [decode(0, "s", "elf"), decode(1, "se", "lf", lane=Lane.AHEAD), decode(2, "sel", "f", at=9.9)]
    total = tally([session(keys, asked)])
    assert (total.given, total.free) == (3, 2)  # guessed ahead, and asked when it was answered already


def test_silence_is_no_answer_and_overtaken_is_no_silence():
    keys = [
        key("s", reason="in-word"),
        key("se", superseded=True),
        key("sel", "f"),
        key("self", reason="empty"),
    ]
    keys[3].reply = None
    row = tally([session(keys, [decode(2, "sel", "f")])]).row()
    assert (row["no model"], row["shown"], row["silent"], row["null"]) == (0, 0.25, 0.25, 0.25)
    assert row["open"] == 1


def test_a_silence_costs_something_where_the_model_knew_the_line():
    script = Script(PASSAGE)
    script._wrong = lambda at, right: "?" if right.startswith(" math") else ""
    second = PASSAGE.truth.index("return")
    keys = [key(PASSAGE.truth[:end], reason="r") for end in (1, len("self.radius = radius"), second)]
    silent = session(keys, [])
    silent.ledger.script = script
    total = tally([silent])
    assert (total.silences["r"], total.lost["r"]) == (3, 1)  # at a line's end and before a slip: nothing
    assert typing.reasons("midfill", {"copies": [silent]})[0]["line known"] == round(1 / 3, 4)
    assert typing.reasons("real_midfill", {"copies": [silent]})[0]["line known"] is None


@pytest.mark.parametrize(
    ("suggested", "whole", "line"),
    [("elf.radius", 1, 1), ("elf.area", 0, 0), ("elf.radius = radius\n\n    def x", 0, 1)],
)
def test_a_suggestion_agrees_with_what_is_typed_in_the_end(suggested, whole, line):
    total = tally([session([key("s", suggested)], [decode(0, "s", suggested)])])
    assert (total.agreed, total.agreed_lines) == (whole, line)


def test_what_two_decodes_wrote_alike_was_written_once_in_vain():
    keys = [key("s", superseded=True), key("se", "lf.radius"), key("sel", "f.radius")]
    overtaken, shown = decode(0, "s", "elf", ".radius"), decode(1, "se", "lf", ".radius", " = x", at=0.1)
    total = tally([session(keys, [overtaken, shown])])
    assert (total.tokens, total.served) == (5, 2)
    assert total.row()["wasted"] == pytest.approx(0.6)


def test_without_a_decode_of_its_own_a_suggestion_came_from_the_last_one_that_wrote_it():
    keys = [key("s", superseded=True), key("se", superseded=True), key("sel", "f.radius", at=1.0)]
    given_up, running = decode(0, "s", "e", "l", "f", ".radius"), decode(1, "se", "lf", ".radius", at=0.1)
    late = decode(3, "self", ".radius", at=1.6)
    total = tally([session(keys, [given_up, running, late])])
    assert (total.tokens, total.served) == (7, 2)


def test_a_suggestion_out_of_a_cache_serves_the_tokens_that_were_decoded_before():
    keys = [key("s", superseded=True), key("se", "lf.radius", at=1.0)]
    total = tally([session(keys, [decode(0, "s", "elf", ".radius")])])
    assert (total.tokens, total.served, total.free) == (2, 2, 1)


def test_the_curve_drops_what_the_model_is_least_sure_of_first():
    sure, unsure = decode(0, "s", "elf.radius"), decode(1, "se", "lf.area")
    sure.logprobs = [-0.1]
    found = curve([session([key("s", "elf.radius"), key("se", "lf.area")], [sure, unsure])], (0.5, 1.0))
    assert [(row["coverage"], row["agree"]) for row in found] == [(0.5, 1.0), (1.0, 0.5)]
    assert found[0]["least mean logprob"] == -0.1


def test_without_a_model_the_real_keys_are_null_with_the_reason():
    found = typing.missing("no model")
    assert found["real_p50_ms"] is None
    assert found["real_p50_ms_reason"] == "no model"
    assert len(found) == 2 * len(typing.SUMMED)


def test_the_summary_has_the_keys_that_the_issue_names():
    played = runs.scripted([PASSAGE], runs.ENGINES["midfill"])
    found = typing.summarised(played)
    assert set(typing.SUMMED) | set(typing.THEIRS) <= set(found)
