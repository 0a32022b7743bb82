"""Speculation on real edits: ours with guesses against ours without, and against llama.cpp with its own.

All three write as many tokens behind the same prompt: what a user would be shown there. Where nothing in
the file repeats, guessing can only cost.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.edits import Edit
from benchmarks.measure.engines import Engine, Timing
from benchmarks.measure.part import Part

PREFIX_CHARACTERS, SUFFIX_CHARACTERS = 3000, 1000
"""What of a file is shown to all of them: prompts of about 1,000 tokens."""
NEW_TOKENS = 48
OPTIONS = ("--spec-type", "ngram-simple", "--spec-ngram-simple-size-n", "3", "--spec-draft-n-max", "8")
"""llama.cpp's speculation from text that is there."""

Write = Callable[[str, str, int, bool], tuple[Timing, list[int]]]
"""Prefix, suffix, new tokens, with guesses → times, and the prompt's ids."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One edit, written three times."""

    repeats: bool
    plain: Timing
    guessed: Timing
    theirs: Timing | None


def chosen(edits: Sequence[Edit], each: int) -> list[Edit]:
    """So many edits that repeat the file and so many that do not, evenly spread, in turn."""
    kinds = ([e for e in edits if e.repeats], [e for e in edits if not e.repeats])
    spread = [[kind[n * len(kind) // each] for n in range(min(each, len(kind)))] for kind in kinds]
    return [edit for pair in zip(*spread, strict=True) for edit in pair]


def replay(edits: Iterable[Edit], write: Write, theirs: Engine | None) -> list[Replayed]:
    """Edits whose answer has a token behind the first; who goes first changes from edit to edit."""
    found = []
    for n, edit in enumerate(edits):
        text = (edit.prefix[-PREFIX_CHARACTERS:], edit.suffix[:SUFFIX_CHARACTERS])
        both = {}
        for guess in (n % 2 == 0, n % 2 == 1):
            both[guess], prompt = write(*text, NEW_TOKENS, guess)
        plain, guessed = both[False], both[True]
        if plain.steps and guessed.steps:
            answer = theirs.run(prompt, guessed.steps) if theirs else None
            found.append(Replayed(edit.repeats, plain, guessed, answer))
    return found


def guessing(found: Sequence[Replayed], no_llamacpp: str = "") -> Part:
    """Gain on edits that repeat, the cost on those that do not; both sides guessing, on all."""
    part = Part()
    if not any(each.guessed.drafted for each in found):
        keys = ("speculation_gain", "speculation_worst", "speculation_acceptance")
        part.lack("the backend makes no guesses", *keys, "decode_vs_llamacpp_speculation")
        return part
    for repeats, key in ((True, "speculation_gain"), (False, "speculation_worst")):
        some = [each for each in found if each.repeats is repeats]
        plain, guessed = (_per_s(t) for t in ([e.plain for e in some], [e.guessed for e in some]))
        theirs = [each.theirs for each in some if each.theirs]
        kind = "repeat the file" if repeats else "repeat nothing"
        accepted = _accepted([each.guessed for each in some])
        part.line(
            "speculation", f"{len(some)} edits that {kind}; {accepted:.0%} accepted", "tok/s", ours=guessed,
            requantised=_per_s(theirs) if theirs else None, ratio=guessed / plain,
        )  # fmt: skip
        part.figures[key] = guessed / plain
    part.figures["speculation_acceptance"] = _accepted([each.guessed for each in found])
    pairs = [(each.guessed, each.theirs) for each in found if each.theirs]
    if not pairs:
        part.lack(no_llamacpp, "decode_vs_llamacpp_speculation")
        return part
    ratio = _per_s([ours for ours, _ in pairs]) / _per_s([theirs for _, theirs in pairs])
    part.figures["decode_vs_llamacpp_speculation"] = ratio
    return part


def _per_s(timings: Sequence[Timing]) -> float:
    """Tokens a second over all of them: what somebody waits for, long answers weigh more."""
    return 1000 * sum(t.steps for t in timings) / sum(t.decode_ms for t in timings)


def _accepted(timings: Sequence[Timing]) -> float:
    return sum(t.accepted for t in timings) / max(1, sum(t.drafted for t in timings))
