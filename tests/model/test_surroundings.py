"""Text from other files in a prompt: every family's format as its source writes it, budgets, safety."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from midfill.model.api import FimRequest, Snippet
from midfill.model.dialects import TEXT_MARKERS, Heals
from midfill.model.dialects.repository import COMMENTS, FORMATS, commented, repository_format
from midfill.model.prompting import CPU_SUFFIX_TOKENS, SURROUNDINGS_SHARE, Prompts
from midfill.model.tokens import CodeTokenizer, common_prefix
from tests.model.evaluation_data import shared_rows
from tests.model.test_fim_prompts import BOS, ROWS, tokenizer_of

SNIPPETS = (
    Snippet("conf.py", "PI = 3\n"),
    Snippet("lib/area.py", "\ndef area(r):\n    return PI * r * r"),
)
REQUEST = FimRequest(
    "def main():\n    return ar",
    "ea(2)\n",
    language="python",
    path="main.py",
    snippets=SNIPPETS,
    repository="shapes",
)
P, S = REQUEST.prefix, REQUEST.suffix
CONF, AREA = "conf.py\nPI = 3\n", "lib/area.py\ndef area(r):\n    return PI * r * r\n"
AS_COMMENTS = "# Path: conf.py\n# PI = 3\n# Path: lib/area.py\n# def area(r):\n#     return PI * r * r\n"
EXPECTED = {
    # QwenLM/Qwen3-Coder examples/Qwen2.5-Coder-repolevel-fim.py
    "qwen2.5-coder": (
        f"<|repo_name|>shapes\n<|file_sep|>{CONF}<|file_sep|>{AREA}<|file_sep|>main.py\n"
        f"<|fim_prefix|>{P}<|fim_suffix|>{S}<|fim_middle|>"
    ),
    "qwen2.5-coder-spm": (
        f"<|repo_name|>shapes\n<|file_sep|>{CONF}<|file_sep|>{AREA}<|file_sep|>main.py\n"
        f"<|fim_prefix|><|fim_suffix|>{S}<|fim_middle|>{P}"
    ),
    # arXiv 2402.19173 §5.1
    "starcoder2": (
        f"<repo_name>shapes<file_sep>{CONF}<file_sep>{AREA}<file_sep>"
        f"<fim_prefix>main.py\n{P}<fim_suffix>{S}<fim_middle>"
    ),
    "starcoder2-spm": (
        f"<repo_name>shapes<file_sep>{CONF}<file_sep>{AREA}<file_sep>"
        f"<fim_prefix><fim_suffix>{S}<fim_middle>main.py\n{P}"
    ),
    # BigCode's playground, formats.md
    "starcoder": (
        f"<fim_prefix><reponame>shapes<filename>{CONF}<filename>{AREA}<filename>main.py\n{P}"
        f"<fim_suffix>{S}<fim_middle>"
    ),
    "granite": f"<fim_prefix><reponame>shapes\n{AS_COMMENTS}{P}<fim_suffix>{S}<fim_middle>",
    # arXiv 2406.11409, figure 2
    "codegemma": (
        f"<bos>{CONF}<|file_separator|>{AREA}<|file_separator|>main.py\n"
        f"<|fim_prefix|>{P}<|fim_suffix|>{S}<|fim_middle|>"
    ),
    # Card of JetBrains/Mellum-4b-base
    "mellum": (
        f"<filename>{CONF}<filename>{AREA}<filename>main.py\n<fim_suffix>{S}<fim_prefix>{P}<fim_middle>"
    ),
    # DeepSeek-Coder README, "Repository Level Code Completion"
    "deepseek-coder": (
        f"<｜begin▁of▁sentence｜><｜fim▁begin｜>#{CONF}\n#{AREA}\n#main.py\n{P}"
        f"<｜fim▁hole｜>{S}<｜fim▁end｜>"
    ),
    # continuedev/continue AutocompleteTemplate.ts; SentencePiece's implied space
    "codestral": f"<s>[SUFFIX]{S}[PREFIX] +++++ {CONF}\n+++++ {AREA}\n+++++ main.py\n{P}",
    # inference.md §2: comments
    "codellama": f"<s>▁<PRE>▁<SUF>{S}▁<MID> {AS_COMMENTS}{P}",
    "seed-coder": (f"<[begin▁of▁sentence]><[fim-suffix]>{S}<[fim-prefix]>{AS_COMMENTS}{P}<[fim-middle]>"),
}


def prompts_of(row: str, context_tokens: int = 2048) -> Prompts:
    tokenizer = tokenizer_of(row)
    bos = tokenizer.marker_id(BOS[row]) if row in BOS else None
    dialect = replace(ROWS[row], heals=Heals.NEVER)  # test_healed_prompts.py
    prompts = Prompts(tokenizer, dialect, bos, context_tokens, on_cpu=True)
    prompts.prefill_per_s = 1e6
    return prompts


def nothing(_: Sequence[int]) -> int:
    return 0


def spelled(tokenizer: CodeTokenizer, ids: Sequence[int]) -> str:
    """The prompt with its markers as they are written."""
    said, run = "", []
    for i in ids:
        if i in tokenizer.reserved:
            said += tokenizer.decode(run) + str(tokenizer._tokenizer.id_to_token(i))
            run = []
        else:
            run.append(i)
    return said + tokenizer.decode(run)


@pytest.mark.parametrize("row", EXPECTED)
def test_other_files_stand_in_a_prompt_as_the_family_has_them(row: str) -> None:
    prompts = prompts_of(row)
    assert spelled(tokenizer_of(row), prompts.make(REQUEST, nothing).ids) == EXPECTED[row]


def test_every_format_is_checked_and_belongs_to_a_row() -> None:
    assert set(FORMATS) - set(EXPECTED) == {"refact"}  # StarCoder's
    assert set(FORMATS) <= set(ROWS)


@pytest.mark.parametrize("row", FORMATS)
def test_a_formats_markers_end_an_answer(row: str) -> None:
    ends = {*ROWS[row].ends, *ROWS[row].markers}
    assert set(FORMATS[row].markers) <= ends


@pytest.mark.parametrize("row", EXPECTED)
def test_without_other_files_nothing_is_added(row: str) -> None:
    alone = replace(REQUEST, snippets=())
    prompt = prompts_of(row).make(alone, nothing)
    assert prompt == prompts_of(row).fitted(alone, 1000)
    assert "main.py" not in spelled(tokenizer_of(row), prompt.ids)


def test_a_vocabulary_without_the_markers_gets_comments() -> None:
    assert repository_format("starcoder2", {}.get) is COMMENTS
    assert (
        repository_format("starcoder2", dict.fromkeys(FORMATS["starcoder2"].markers, 1).get) is not COMMENTS
    )


@pytest.mark.parametrize(
    ("language", "line"),
    [("python", "# x"), ("go", "// x"), ("", "// x"), ("lua", "-- x"), ("html", "<!-- x -->")],
)
def test_comments_are_the_languages_own(language: str, line: str) -> None:
    assert commented("a", "x\n\n", language).splitlines()[1:] == [line, ""]


def test_an_unnamed_repository_and_a_uri_are_shown_as_little_as_they_say() -> None:
    request = replace(REQUEST, repository="", path="file:///home/me/my%20main.py")
    said = spelled(tokenizer_of("qwen2.5-coder"), prompts_of("qwen2.5-coder").make(request, nothing).ids)
    assert said.startswith("<|file_sep|>conf.py\n")
    assert "<|file_sep|>my main.py\n<|fim_prefix|>" in said


@pytest.mark.parametrize("row", ["qwen2.5-coder", "starcoder2", "deepseek-coder", "codestral", "codellama"])
def test_no_marker_in_another_file_or_its_path_becomes_one(row: str) -> None:
    tokenizer, dialect = tokenizer_of(row), ROWS[row]
    markers = [
        *TEXT_MARKERS,
        *dialect.markers,
        *dialect.ends,
        *repository_format(row, tokenizer.marker_id).markers,
    ]
    clean = [i for i in prompts_of(row).make(REQUEST, nothing).ids if i in tokenizer.reserved]
    for marker in dict.fromkeys(markers):
        bad = Snippet(f"a{marker}.py", f"x = 1\n{marker}\n{marker}y\n")
        request = replace(
            REQUEST, snippets=(SNIPPETS[0], bad), path=f"{marker}\n{marker}.py", repository=marker
        )
        prompt = prompts_of(row).make(request, nothing).ids
        assert [i for i in prompt if i in tokenizer.reserved] == clean, marker


# Budgets.


@pytest.fixture(scope="module")
def code() -> str:
    return "\n".join(row["prompt"] + row["canonical_solution"] for row in shared_rows("HumanEval"))


@pytest.mark.parametrize("row", ["qwen2.5-coder", "codellama", "deepseek-coder"])
def test_other_files_get_their_share_and_the_rest_is_the_prefixs(row: str, code: str) -> None:
    long = tuple(Snippet(f"{i}.py", code[i * 2000 : i * 2000 + 1500]) for i in range(4))
    request = replace(REQUEST, prefix=code[:30_000], suffix=code[30_000:], snippets=long, max_new_tokens=64)
    prompts, tokenizer = prompts_of(row), tokenizer_of(row)
    prompt = prompts.make(request, nothing).ids
    around = prompts._cuts[0].around
    share = int(2048 * SURROUNDINGS_SHARE)
    assert share * 0.6 < around.tokens <= share + 8
    assert 1200 < len(prompt) <= 2048 - 64
    said = spelled(tokenizer, (*around.before, *around.in_prefix))
    assert "3.py" in said
    assert "0.py" not in said
    few = prompts_of(row)
    few.make(replace(request, snippets=SNIPPETS), nothing)
    assert len(few._cuts[0].fitted.prefix_ids) > len(prompts._cuts[0].fitted.prefix_ids)


def test_a_file_that_does_not_fit_is_cut_at_a_line_end(code: str) -> None:
    request = replace(REQUEST, snippets=(Snippet("long.py", code),))
    prompts = prompts_of("qwen2.5-coder")
    prompts.make(request, nothing)
    said = spelled(tokenizer_of("qwen2.5-coder"), prompts._cuts[0].around.before)
    kept = said.removeprefix("<|repo_name|>shapes\n<|file_sep|>long.py\n").removesuffix(
        "<|file_sep|>main.py\n"
    )
    assert code.startswith(kept)
    assert kept.endswith("\n")
    assert len(kept) > 1000


@pytest.mark.parametrize("row", ["qwen2.5-coder", "codestral"])
def test_typing_keeps_other_files_where_they_were(row: str, code: str) -> None:
    prompts = prompts_of(row)
    before: list[int] = []
    for typed in range(0, 60, 3):
        request = replace(REQUEST, prefix=code[: 20_000 + typed], suffix=code[21_000:])
        prompt = prompts.make(request, partial(common_prefix, before)).ids
        if before:
            assert len(prompt) - common_prefix(before, prompt) <= CPU_SUFFIX_TOKENS + 32
        before = prompt


def test_a_slow_machine_leaves_other_files_out_while_somebody_waits(code: str) -> None:
    prompts, tokenizer = prompts_of("qwen2.5-coder"), tokenizer_of("qwen2.5-coder")
    prompts.prefill_per_s = 1.0
    request = replace(REQUEST, prefix=code[:30_000], suffix=code[30_000:])
    assert "area.py" not in spelled(tokenizer, prompts.make(request, nothing).ids)
    ahead = prompts.make(replace(request, prefill_only=True), nothing).ids
    assert "area.py" in spelled(tokenizer, ahead)
    assert prompts.make(request, partial(common_prefix, ahead)).ids == ahead
