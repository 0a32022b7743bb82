"""The backend without a model: deterministic, never empty, each pass as long as it is told."""

import pytest

from midfill.model import (
    ChatMessage,
    ChatRequest,
    Chunk,
    FimRequest,
    Finish,
    FinishReason,
    ModelConfig,
    Scope,
    StopRules,
    make_backend,
)
from midfill.model.backends.scripted import CHARS_PER_TOKEN, PREFILL_BLOCK_TOKENS, ScriptedBackend
from midfill.model.errors import BadConfig

BLOCK = StopRules(Scope.BLOCK)


def run(backend, request) -> tuple[str, Finish, int]:
    """(text, Finish, number of chunks)."""
    *chunks, finish = list(backend.stream(request))
    assert isinstance(finish, Finish)
    assert all(isinstance(chunk, Chunk) for chunk in chunks)
    return "".join(chunk.text for chunk in chunks), finish, len(chunks)


def scripted(text: str = "", step_ms: float = 0.0) -> ScriptedBackend:
    return ScriptedBackend(ModelConfig("scripted", scripted_text=text, scripted_step_ms=step_ms))


def test_it_is_found_by_its_name_and_an_unknown_name_is_refused():
    assert isinstance(make_backend(ModelConfig("scripted")), ScriptedBackend)
    with pytest.raises(BadConfig, match="scripted, transformers"):
        make_backend(ModelConfig("skripted"))


def test_loading_reports_progress_and_honours_the_context_setting():
    seen = []
    assert scripted().load(seen.append).can_chat
    assert seen[0].fraction == 1.0
    assert ScriptedBackend(ModelConfig(context_tokens=99)).load(seen.append).context_tokens == 99


def test_the_same_request_gets_the_same_answer_and_another_prompt_another():
    request = FimRequest("def f", "", stop=BLOCK, max_new_tokens=8)
    text, finish, _ = run(scripted(), request)
    assert text == run(scripted(), request)[0]
    assert len(text) == 8 * CHARS_PER_TOKEN
    assert finish.reason is FinishReason.LENGTH
    assert text != run(scripted(), FimRequest("def fg", "", stop=BLOCK, max_new_tokens=8))[0]


def test_an_empty_document_gets_text_too():
    assert run(scripted(), FimRequest("", ""))[0]


@pytest.mark.parametrize(("scope", "text"), [(Scope.SINGLE_LINE, "one"), (Scope.BLOCK, "one\ntwo")])
def test_the_script_is_written_as_far_as_the_scope_goes(scope, text):
    answer = run(scripted("one\ntwo"), FimRequest("", "", stop=StopRules(scope)))
    assert answer[0] == text
    assert answer[1].reason is FinishReason.EOT


def test_the_token_limit_cuts_the_script_and_says_so():
    text, finish, _ = run(scripted("123456789"), FimRequest("", "", max_new_tokens=2))
    assert (text, finish.reason, finish.usage.generated_tokens) == ("12345678", FinishReason.LENGTH, 2)


def test_a_chat_gets_the_whole_script_and_leaves_the_imitated_cache_alone():
    backend, fim = scripted("one\ntwo"), FimRequest("x" * 400, "", prefill_only=True)
    run(backend, fim)
    assert run(backend, ChatRequest((ChatMessage("user", "explain"),)))[0] == "one\ntwo"
    assert run(backend, fim)[1].usage.reused_tokens == 100


@pytest.mark.parametrize(
    ("script", "answer"), [("", "a first choice"), ("second", "second"), ("third", "a first choice")]
)
def test_a_chat_with_choices_gets_one_of_them_whole(script, answer):
    question = ChatRequest(
        (ChatMessage("user", "x"),), max_new_tokens=1, choices=("a first choice", "second")
    )
    text, finish, _ = run(scripted(script), question)
    assert (text, finish.reason) == (answer, FinishReason.EOT)


def test_every_pass_takes_one_step_and_a_long_prompt_takes_several():
    slept: list[float] = []
    backend = ScriptedBackend(
        ModelConfig("scripted", scripted_text="12345678", scripted_step_ms=5.0), slept.append
    )
    _, _, chunks = run(backend, FimRequest("x" * CHARS_PER_TOKEN * (PREFILL_BLOCK_TOKENS + 1), ""))
    assert chunks == 4  # two blocks of prompt, two tokens
    assert slept == [0.005] * 4


def test_prefilling_ahead_makes_the_next_request_cheaper_and_writes_nothing():
    backend = scripted("text")
    text, finish, _ = run(backend, FimRequest("x" * 4096, "", prefill_only=True))
    assert (text, finish.usage.prompt_tokens, finish.usage.generated_tokens) == ("", 1024, 0)
    _, finish, chunks = run(backend, FimRequest("x" * 4096 + "yyyy", ""))
    assert (finish.usage.reused_tokens, chunks) == (1024, 2)


def test_a_stream_that_is_dropped_in_its_prefill_leaves_the_cache_as_it_was():
    backend = scripted("text")
    stream = backend.stream(FimRequest("x" * 4096, ""))
    next(stream)
    stream.close()
    assert run(backend, FimRequest("x" * 4096, ""))[1].usage.reused_tokens == 0
