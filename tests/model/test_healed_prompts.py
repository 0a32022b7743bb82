"""Prompts whose last tokens go back to text: where, in which layout, and what of the answer is shown."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.model.api import FimRequest, Scope, StopRules
from midfill.model.dialects import CODELLAMA_SPM, QWEN, FimDialect, Heals, render
from midfill.model.prompting import Prompt, Prompts
from midfill.model.tokens import CodeTokenizer
from midfill.model.trie import StartsWith
from tests.model.backends import loaded, text
from tests.model.test_trie import PIECES, by_hand
from tests.model.tiny import make_tokenizer
from tests.model.vocabularies import code_tokenizer

BEFORE, AFTER = "def f(values):\n    for i in ", "):\n        print(i)\n"


def prompts_of(tokenizer: CodeTokenizer, dialect: FimDialect | None, heals: Heals, bos: int | None = None):
    made = Prompts(tokenizer, dialect and replace(dialect, heals=heals), bos, 2048, on_cpu=True)
    if dialect is None:
        made._heals = heals
    return made


def make(prompts: Prompts, prefix: str, suffix: str = AFTER) -> Prompt:
    return prompts.make(FimRequest(prefix, suffix), lambda _: 0)


def given(prompt: Prompt) -> bytes:
    if prompt.constraint is None:
        assert prompt.hidden_bytes == 0
        return b""
    assert isinstance(prompt.constraint, StartsWith)
    assert prompt.hidden_bytes == len(prompt.constraint.wanted)
    return prompt.constraint.wanted


@pytest.mark.parametrize(
    ("heals", "healed"),
    [
        (Heals.NEVER, {"enu": b"", "": b"", "range(": b"", "x:\n": b""}),
        (Heals.IN_WORDS, {"enu": b" enu", "": b"", "range(": b"", "x:\n": b""}),
        (Heals.IN_LINES, {"enu": b" enu", "": b" ", "range(": b"(", "x:\n": b""}),
    ],
)
def test_the_row_says_where_prompts_are_healed(heals: Heals, healed: dict[str, bytes]) -> None:
    prompts = prompts_of(code_tokenizer("qwen2.5-coder"), QWEN, heals)
    assert {typed: given(make(prompts, BEFORE + typed)) for typed in healed} == healed


@pytest.mark.parametrize(
    ("dialect", "vocabulary"),
    [(QWEN, "qwen2.5-coder"), (CODELLAMA_SPM, "codellama-reconstructed"), (None, "qwen2.5-coder")],
)
@pytest.mark.parametrize("typed", ["enu", "x", "", "日本", "self.na", "日"])
def test_a_healed_prompt_is_the_whole_one_without_the_healed_tokens(
    dialect: FimDialect | None, vocabulary: str, typed: str
) -> None:
    tokenizer = code_tokenizer(vocabulary)
    bos = 1 if dialect is CODELLAMA_SPM else None
    healed = make(prompts_of(tokenizer, dialect, Heals.IN_LINES, bos), BEFORE + typed)
    whole = tokenizer.encode(BEFORE + typed)
    kept = next(n for n in range(len(whole), -1, -1) if spelled(tokenizer, whole[n:]) == given(healed))
    below = tokenizer.encode_continuation(AFTER)
    if dialect is None:
        assert healed.ids == whole[:kept]
    else:
        ids = {marker: tokenizer.marker_id(marker) for marker in dialect.markers}
        known = {marker: i for marker, i in ids.items() if i is not None}
        assert healed.ids == render(dialect, known, whole[:kept], below, bos)
    assert kept < len(whole)


def spelled(tokenizer: CodeTokenizer, ids: list[int]) -> bytes:
    return b"".join(map(tokenizer.token_bytes, ids))


def test_while_a_word_grows_its_prompt_stays_the_same() -> None:
    prompts = prompts_of(code_tokenizer("qwen2.5-coder"), QWEN, Heals.IN_WORDS)
    word = "enumerate"
    made = [make(prompts, BEFORE + word[:n]) for n in range(1, len(word) + 1)]
    assert {tuple(prompt.ids) for prompt in made} == {tuple(made[0].ids)}
    assert [given(prompt) for prompt in made] == [f" {word[:n]}".encode() for n in range(1, len(word) + 1)]


def test_what_no_allowed_token_spells_stays_in_the_prompt() -> None:
    tokenizer = by_hand(PIECES, QWEN.markers)
    only = PIECES.index(b"m")  # no other piece has an m in front
    made = Prompts(tokenizer, QWEN, None, 2048, on_cpu=True, stop_ids={only})
    before, after, middle = map(tokenizer.marker_id, QWEN.markers)
    assert given(make(made, "a", "")) == b"a"
    assert given(make(made, "m", "")) == b""
    assert make(made, "m", "").ids == [before, only, after, middle]


def test_the_suggestion_begins_at_the_cursor(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    backend._ready()[2]._heals = Heals.IN_LINES
    tokens = CodeTokenizer(make_tokenizer())
    shown = 0
    for typed in ("ret", "print", "    ", "for x in ran", "é日"):
        request = FimRequest(f"x\n{typed}", "\n", max_new_tokens=8, stop=StopRules(Scope.BLOCK))
        prompt = backend.fim_prompt(request)
        answer = text(list(backend.stream(request)))
        written = backend._documents.take(prompt.ids, request.path).cache.tokens[len(prompt.ids) :]
        whole = spelled(tokens, written)
        assert whole.startswith(given(prompt)) or given(prompt).startswith(whole)
        behind = whole[prompt.hidden_bytes :].decode("utf-8", errors="replace").rstrip("\ufffd")
        # What stop rules took off the end is not shown; the last token is, though it was not fed.
        assert behind.startswith(answer) or answer.startswith(behind)
        shown += len(answer)
    assert shown > 0
