"""Which row a model takes: by setting, by what it is called, then by its vocabulary.

Knows names and which tokens there are; reads no file.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from midfill.model.dialects.prompt import FimDialect
from midfill.model.dialects.table import (
    CODEGEMMA,
    CODEGEN25,
    CODELLAMA_SPM,
    CODESTRAL,
    DEEPSEEK,
    DIALECTS,
    GRANITE,
    GRANITE4,
    MELLUM,
    QWEN,
    QWEN_SPM,
    REFACT,
    SANTACODER,
    SEED_CODER,
    STABLE_CODE,
    STARCODER,
    STARCODER2,
)
from midfill.model.errors import BadConfig

AUTO, NONE = "auto", "none"
SETTINGS: tuple[str, ...] = (AUTO, NONE, *(dialect.name for dialect in DIALECTS))
"""Values of the setting `fimDialect`."""

# First match wins, on the names as `plain_names` gives them. A sentence: has the markers in its vocabulary,
# or is taken for one that has, and was never trained to fill.
BY_NAME: tuple[tuple[str, FimDialect | str], ...] = (
    # WizardCoder-Python and Magicoder-CL come from Code Llama -Python, whose tokenizer has the markers;
    # only Magicoder-DS fills (ise-uiuc/magicoder #5). OpenCoder: infly/OpenCoder-8B-Instruct #2.
    (r"wizard-?coder|magicoder.*-cl\b", "WizardCoder and Magicoder-CL were tuned to answer, not to fill"),
    (r"open-?coder", "OpenCoder's markers were never trained"),
    # Code Llama README and MODEL_CARD.
    (r"code-?llama.*python", "Code Llama -Python was not trained to fill"),
    (r"code-?llama.*34b", "Code Llama 34B and its children were not trained to fill"),
    (r"code-?llama.*70b.*instruct", "Code Llama 70B Instruct was not trained to fill"),
    (r"code-?llama", CODELLAMA_SPM),
    (r"deepseek-r1", "DeepSeek-R1 and its distillations were not trained to fill"),
    (r"qwen-?2\.5-?coder-0\.5b", QWEN_SPM),  # the only one measured so far (`table.py`)
    (r"qwen-?(2\.5|3)-?coder", QWEN),
    (r"qwen-?(2|3)", "of Qwen's models only Coder was trained to fill"),
    # deepseek-ai/DeepSeek-Coder #110; DeepSeek-Coder-V2 #18.
    (r"deepseek-coder.*v1\.5", "DeepSeek-Coder v1.5 was not trained to fill"),
    (r"deepseek-coder-?v2(?!.*lite)", "of DeepSeek-Coder V2 only Lite was trained to fill"),
    (r"deepseek-(coder|v[23])", DEEPSEEK),
    (r"codestral.*mamba|mamba.*codestral", "Mamba-Codestral was not trained to fill"),
    (r"codestral", CODESTRAL),
    (r"mi[sx]tral|devstral", "of Mistral's models only Codestral was trained to fill"),
    (r"codegemma.*-it\b", "CodeGemma's instruction-tuned model does not fill: its base models do"),
    (r"codegemma", CODEGEMMA),
    (r"granite-?4", GRANITE4),
    (r"granite", GRANITE),
    (r"starcoder-?2", STARCODER2),
    (r"starcoder", STARCODER),
    (r"santacoder", SANTACODER),
    (r"\brefact\b", REFACT),
    (r"codegen-?2", CODEGEN25),
    (r"stable-?code", STABLE_CODE),
    (r"mellum", MELLUM),
    (r"seed-coder", SEED_CODER),
    # CodeGeeX4 fills inside a chat turn only (its infilling guideline), and of GLM-4.5's order the sources
    # disagree (Continue: suffix first; Zed: prefix first): neither is done here.
    (r"codegeex|glm", "how GLM and CodeGeeX fill is not known well enough to be done here"),
)
NO_MARKERS = "its vocabulary has no FIM markers that are known here"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a model is asked in."""

    dialect: FimDialect | None
    reason: str = ""
    """Where there is no dialect: why the model completes left to right."""
    on_trust: bool = False
    """Only the vocabulary speaks for it, and models that were never trained to fill have markers too."""


def plain_names(names: Iterable[str]) -> list[str]:
    """Names in lower case, blanks and underscores as hyphens."""
    return [re.sub(r"[\s_]+", "-", name.lower()) for name in names]


def by_name(names: Iterable[str]) -> FimDialect | str | None:
    """The row that one of `names` stands for, or why it has none; None where no name is known."""
    plain = plain_names(names)
    for pattern, found in BY_NAME:
        if any(re.search(pattern, name) for name in plain):
            return found
    return None


def detect_dialect(
    names: Iterable[str], is_marker: Callable[[str], bool], has_piece: Callable[[str], bool]
) -> Decision:
    """The dialect of a model that goes by `names`.

    A known name decides, if the vocabulary has its markers at all (`has_piece`): Code Llama's own
    SentencePiece model has them as ordinary pieces. An unknown model is taken at its vocabulary's word,
    where only tokens that were added as markers count (`is_marker`).
    """
    match by_name(names):
        case str(reason):
            return Decision(None, reason)
        case FimDialect() as named:
            missing = missing_markers(named, has_piece)
            return Decision(None, f"its vocabulary has no {missing[0]}") if missing else Decision(named)
    for dialect in DIALECTS:
        if not dialect.by_name_only and all(map(is_marker, (*dialect.markers, *dialect.signs))):
            return Decision(dialect, on_trust=True)
    return Decision(None, NO_MARKERS)


def wanted_dialect(setting: str, has_piece: Callable[[str], bool]) -> Decision:
    """The dialect that the user asked for by name. Raises BadConfig where it cannot be had."""
    if setting == NONE:
        return Decision(None, "the setting fimDialect says so")
    dialect = next((row for row in DIALECTS if row.name == setting), None)
    if dialect is None:
        raise BadConfig(f"unknown FIM dialect {setting!r}: known are {', '.join(SETTINGS)}")
    if missing := missing_markers(dialect, has_piece):
        raise BadConfig(
            f"FIM dialect {setting!r} cannot be had: the model's vocabulary has no {', '.join(missing)}; "
            "use auto or none"
        )
    return Decision(dialect)


def missing_markers(dialect: FimDialect, has_piece: Callable[[str], bool]) -> list[str]:
    """The markers of a prompt that a vocabulary lacks, each once."""
    return [marker for marker in dict.fromkeys(dialect.markers) if not has_piece(marker)]
