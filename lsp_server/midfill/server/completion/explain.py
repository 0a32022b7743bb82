"""What became of a request, stage by stage: times, figures, reasons. No source text.

Reads what the pipeline noted on its way (`Run.stages`, `Answer`); decides nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from midfill.model import FimRequest, FinishReason, Usage
from midfill.server.completion.asking import Asking
from midfill.server.completion.cleanup import explain as cleaned
from midfill.server.completion.confidence import LOW, confidence
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.policy import PLACES, Recent
from midfill.server.completion.reuse import CONTRADICTED, TYPED, Written
from midfill.server.completion.run import Answer, Run, Source

SOURCES = {
    Source.TYPED_THROUGH: "what was shown goes on behind what was typed",
    Source.CACHE: "written before, for this place or just before it",
    Source.AHEAD: "written ahead, before anybody asked",
    Source.JOINED: "a model call that was under way already",
    Source.MODEL: "nothing at hand: a model call of its own",
}
SILENCES = {
    "not-a-file": "only files and untitled documents get suggestions",
    "language-off": "`midfill.languages` leaves this language out",
    "file-excluded": "the file matches `midfill.exclude`",
    "secret-file": "files with secrets are left alone",
    "mid-word": "the cursor stands inside a word",
    "line-goes-on": "more than closing brackets stands behind the cursor",
    "nearly-empty": "the file has next to no text",
    "after-deletion": "what was shown has just been deleted into",
    "after-accept": "a whole line has just been accepted: what comes next is a new line",
    "popup-item": "the menu's selected item does not begin with what was typed",
    "empty": "the model wrote nothing",
    CONTRADICTED: "what was typed meanwhile says otherwise",
    TYPED: "all of it was typed meanwhile",
    LOW: "the model was not sure enough, or its line broke off (`midfill.minConfidence`)",
}
"""What a reason's code means. Others speak for themselves: `model-loading`, `dropped by RULE`."""
BLANK = "the model wrote only white space"
"""Whichever rule dropped it."""
ENDS = {
    FinishReason.EOT: "the model ended by itself",
    FinishReason.STOP: "a rule on the text ended it",
    FinishReason.LENGTH: "its room was used up",
    FinishReason.CANCELLED: "cut off before its end",
    FinishReason.ERROR: "it failed",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One stage. `ms` is None where it took no time of its own, or did not happen."""

    stage: str
    said: str
    ms: float | None = None


def explain(run: Run, answer: Answer, asking: Asking) -> list[Line]:
    """The stages of `run`, which ended with `answer`, in the order of the pipeline."""
    lines = [_trigger(run, answer, asking), _reuse(run, answer)]
    if _time(run, "debounce") is not None:
        by_hand = run.trigger is Trigger.INVOKED
        lines.append(_line(run, "debounce", "asked by hand: never waits" if by_hand else "waited"))
    if run.decode is not None and answer.source in (Source.MODEL, Source.JOINED):
        lines.append(_line(run, "context", _context(run.decode.request), "prompt"))
        lines += _snippets(run.decode.request, answer, asking)
    if answer.written is not None:
        lines += _written(answer.written, answer.source, run, asking)
    return [*lines, Line("answer", _ended(answer), sum(stage.ms for stage in run.stages))]


def reason_of(answer: Answer) -> str:
    """Why nothing is suggested, with what the code means."""
    blank = answer.written is not None and answer.written.text.isspace()
    meaning = BLANK if blank else SILENCES.get(answer.reason)
    return f"{answer.reason}: {meaning}" if meaning else answer.reason


def _trigger(run: Run, answer: Answer, asking: Asking) -> Line:
    if run.trigger is Trigger.AUTOMATIC:
        silent = not (answer.suggestion or answer.source or answer.superseded)
        return _line(run, "trigger", f"silent: {reason_of(answer)}" if silent else "automatic: not silent")
    context = asking.context_at(run.snapshot, run.offset, run.trigger)
    codes = [code for code, holds in PLACES.items() if holds(context, Recent())]
    unasked = f"silent ({', '.join(codes)})" if codes else "no silence"
    return _line(run, "trigger", f"by hand: always answers; while typing: {unasked}")


def _reuse(run: Run, answer: Answer) -> Line:
    return _line(run, "reuse", SOURCES.get(answer.source, "nothing at hand"))


def _context(request: FimRequest) -> str:
    parts = f"{len(request.prefix)} characters before, {len(request.suffix)} behind"
    snippets = f", {len(request.snippets)} snippets" if request.snippets else ""
    scope = request.stop.scope.value.replace("_", " ")
    return f"{parts}{snippets}; {scope}, at most {request.max_new_tokens} tokens"


def _snippets(request: FimRequest, answer: Answer, asking: Asking) -> Iterator[Line]:
    """What of other files was handed over, why, and what of it the prompt had no room for."""
    chosen = asking.other_files.ready(request.path) if asking.other_files else None
    known = dict(zip(chosen.snippets, chosen.reasons, strict=True)) if chosen else {}
    shown = answer.finish.usage.snippets if answer.finish else 0
    for at, snippet in enumerate(request.snippets):
        no_room = at < len(request.snippets) - shown
        unread = "no room while somebody waits: " if no_room else ""
        yield Line("other file", unread + known.get(snippet, snippet.path))


def _written(written: Written, source: Source, run: Run, asking: Asking) -> Iterator[Line]:
    usage, ended = written.finish.usage, ENDS[written.finish.reason]
    if source in (Source.MODEL, Source.JOINED):
        yield from _model(usage)
    yield Line("stop", f"{written.finish.reason}: {ended}")
    decode = run.decode
    if decode is not None and written.text:
        context = asking.context_at(decode.snapshot, decode.offset, run.trigger)
        rules = ", ".join(cleaned(written.text, context).fired)
        yield _line(run, "clean-up", rules or "no rule fired")
    yield Line("confidence", _sure(written, run.trigger, asking.least_confidence))


def _model(usage: Usage) -> Iterator[Line]:
    yield Line("queue", "waited for the device", usage.queue_ms)
    fresh = usage.prompt_tokens - usage.reused_tokens
    read = f"{usage.prompt_tokens} tokens of prompt, {usage.reused_tokens} reused, {fresh} read"
    yield Line("prefill", read, usage.prefill_ms)
    guessed = f", {usage.accepted_tokens} of {usage.drafted_tokens} guessed right"
    wrote = f"{usage.generated_tokens} tokens{guessed if usage.drafted_tokens else ''}"
    yield Line("decode", wrote, usage.decode_ms)


def _sure(written: Written, trigger: Trigger, least: float) -> str:
    found = confidence(written)
    if found is None:
        return "the backend does not say"
    below = "below" if found < least else "at least"
    unless = " (asked by hand: does not count)" if trigger is Trigger.INVOKED and least else ""
    return f"{found:.2f}" + (f", {below} {least:.2f}{unless}" if least else ", no least is set")


def _ended(answer: Answer) -> str:
    if answer.superseded:
        return f"superseded: {answer.reason}"
    if answer.suggestion is None:
        return f"nothing: {reason_of(answer)}"
    text = answer.suggestion.text
    lines = text.count("\n") + 1
    more = f", and {len(answer.others)} more to choose from" if answer.others else ""
    return f"{len(text)} characters in {lines} line{'s' if lines > 1 else ''}{more}"


def _line(run: Run, stage: str, said: str, noted: str = "") -> Line:
    return Line(stage, said, _time(run, noted or stage))


def as_fields(line: Line) -> dict[str, str | float | None]:
    """For JSON; milliseconds with one decimal."""
    return {"stage": line.stage, "ms": line.ms if line.ms is None else round(line.ms, 1), "said": line.said}


def _time(run: Run, stage: str) -> float | None:
    """Milliseconds, of all its times together; None if it was not reached."""
    times = [noted.ms for noted in run.stages if noted.name == stage]
    return sum(times) if times else None
