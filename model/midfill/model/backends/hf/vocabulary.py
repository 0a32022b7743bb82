"""What a model's folder says about its tokens: the tokenizer, which dialect and chat format, what ends an
answer. Reads JSON, never runs code or a template.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from midfill.model.backends.hf.chat import ChatFormat
from midfill.model.backends.hf.chat_choice import choose_chat
from midfill.model.backends.hf.model_settings import read_json
from midfill.model.dialects import (
    AUTO,
    DIALECTS,
    Decision,
    FimDialect,
    by_name,
    detect_dialect,
    wanted_dialect,
)
from midfill.model.errors import DamagedModel, UnsafeWeights, UnsupportedModel
from midfill.model.tokens import CodeTokenizer

ROUND_TRIPS = ("def f(x):\n    return x + 2023  # é\n", "    x", "\tif x:\n\t\ty\n\n", "\n\n  \n", " a  b ")
"""Come back changed from tokenizers that were read wrongly: whitespace goes first (inference.md §1.5)."""

ROWS_PER_TOKEN_MAX = 2
"""The families of the dialects' table have at most 2.5 % of rows to spare (DeepSeek-Coder-V2). A smaller
vocabulary of another family shows nowhere else: its answers are gibberish."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A model's tokens and how they are used."""

    tokenizer: CodeTokenizer
    fim: Decision
    chat: ChatFormat | None
    stop_ids: frozenset[int]
    """What ends a fill or an answer."""


def refuse_own_code(folder: Path, names: Sequence[str]) -> None:
    """Raise UnsafeWeights for a model of a family that runs only with Python code from its own folder.

    A conversion to what transformers and tokenizers know passes: bigcode/gpt_bigcode-santacoder is one.
    """
    dialect = by_name(names)
    if not isinstance(dialect, FimDialect) or not dialect.needs_remote_code:
        return
    if "auto_map" in read_json(folder / "config.json") or not (folder / "tokenizer.json").is_file():
        raise UnsafeWeights(
            f"{names[0]} runs only with Python code that comes with it, which Midfill never runs: "
            "choose another model"
        )


def read_vocabulary(
    folder: Path, names: Sequence[str], eos_ids: Collection[int], fim_dialect: str = AUTO
) -> Vocabulary:
    """The vocabulary of the model in `folder`, that goes by `names`; `fim_dialect` is the setting.

    Raises UnsupportedModel, DamagedModel, and BadConfig for a dialect that the model cannot have.
    """
    tokenizer = _read_tokenizer(folder)

    def has_piece(marker: str) -> bool:
        return tokenizer.marker_id(marker) is not None

    if fim_dialect == AUTO:
        fim = detect_dialect(names, tokenizer.is_marker, has_piece)
    else:
        fim = wanted_dialect(fim_dialect, has_piece)
    dialect = fim.dialect
    chat = choose_chat(names, tokenizer, eos_ids, _chat_template(folder))
    # A marker may be an ordinary piece: no text may become it, nor may it become text.
    own = (*dialect.markers, *dialect.ends) if dialect else ()
    tokenizer.reserve((*own, *chat.markers, *chat.ends) if chat else own)
    ends = {i for marker in own if (i := tokenizer.marker_id(marker)) is not None}
    if dialect is None:
        ends |= all_markers(tokenizer)
    return Vocabulary(tokenizer, fim, chat, frozenset(ends | set(eos_ids)))


def _read_tokenizer(folder: Path) -> CodeTokenizer:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise UnsupportedModel(f"{folder.name} has no tokenizer.json")
    try:
        raw = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception
        raise DamagedModel(f"{folder.name}: its tokenizer.json cannot be read") from error
    added = {token.content for token in raw.get_added_tokens_decoder().values()}
    markers = {marker for dialect in DIALECTS for marker in (*dialect.markers, *dialect.ends)}
    tokenizer = CodeTokenizer(raw, reserved=markers & added)
    lead = " " if tokenizer.leading_space else ""
    for text in ROUND_TRIPS:
        begun, continued = tokenizer.encode(text), tokenizer.encode_continuation(text)
        if tokenizer.decode(begun) != lead + text or tokenizer.decode(continued) != text:
            raise DamagedModel(
                f"{folder.name}: its tokenizer does not give back the text that it is given "
                f"({text!r} became {tokenizer.decode(continued)!r}): get the model again"
            )
    return tokenizer


def check_together(tokenizer: CodeTokenizer, rows: int, name: str) -> None:
    """Raise DamagedModel where an embedding of so many `rows` cannot be that of `tokenizer`."""
    if not rows / ROWS_PER_TOKEN_MAX <= tokenizer.size <= rows:
        raise DamagedModel(
            f"{name}: tokenizer ({tokenizer.size} tokens) and weights ({rows}) do not belong together: get "
            "the model again"
        )


def all_markers(tokenizer: CodeTokenizer) -> set[int]:
    """Every FIM, repository, separator and padding id there is: past one of them no answer goes on."""
    markers = {m for row in DIALECTS for m in (*row.markers, *row.ends) if tokenizer.is_marker(m)}
    return {i for i in map(tokenizer.marker_id, markers) if i is not None}


def _chat_template(folder: Path) -> str:
    """The text of the model's own chat template; of several, the one called default; else nothing."""
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_text(encoding="utf-8", errors="replace")
    template = read_json(folder / "tokenizer_config.json").get("chat_template", "")
    if isinstance(template, list):
        template = {one.get("name"): one.get("template") for one in template if isinstance(one, dict)}.get(
            "default"
        )
    return template if isinstance(template, str) else ""
