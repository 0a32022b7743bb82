"""Which row a model takes: by what it is called, then by its vocabulary.

Knows names and which tokens there are; reads no file.
"""

import re
from collections.abc import Callable, Iterable

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
    REFACT,
    SANTACODER,
    SEED_CODER,
    STABLE_CODE,
    STARCODER,
    STARCODER2,
)

# First match wins, on the names as `plain_names` gives them. None: has the markers in its vocabulary, or
# is taken for one that has, and was never trained to fill.
BY_NAME: tuple[tuple[str, FimDialect | None], ...] = (
    # WizardCoder-Python and Magicoder-CL come from Code Llama -Python, whose tokenizer has the markers;
    # only Magicoder-DS fills (ise-uiuc/magicoder #5). OpenCoder's markers are untrained.
    (r"wizard-?coder|magicoder.*-cl\b|open-?coder", None),
    (r"code-?llama.*(34b|python|70b.*instruct)", None),  # Code Llama README and MODEL_CARD
    (r"code-?llama", CODELLAMA_SPM),
    (r"deepseek-r1", None),
    (r"qwen-?(2\.5|3)-?coder", QWEN),
    (r"qwen-?(2|3)", None),
    (r"deepseek-coder.*v1\.5", None),  # deepseek-ai/DeepSeek-Coder #110
    (r"deepseek-coder-?v2(?!.*lite)", None),  # deepseek-ai/DeepSeek-Coder-V2 #18
    (r"deepseek-(coder|v[23])", DEEPSEEK),
    (r"codestral.*mamba|mamba.*codestral", None),
    (r"codestral", CODESTRAL),
    (r"mi[sx]tral|devstral", None),
    (r"codegemma.*-it\b", None),
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
    (r"codegeex|glm", None),
)


def plain_names(names: Iterable[str]) -> list[str]:
    """Names in lower case, blanks and underscores as hyphens."""
    return [re.sub(r"[\s_]+", "-", name.lower()) for name in names]


def by_name(names: Iterable[str]) -> tuple[bool, FimDialect | None]:
    """(whether one of `names` is known, the row it stands for or None where it cannot fill)."""
    plain = plain_names(names)
    for pattern, dialect in BY_NAME:
        if any(re.search(pattern, name) for name in plain):
            return True, dialect
    return False, None


def detect_dialect(
    names: Iterable[str], is_marker: Callable[[str], bool], has_piece: Callable[[str], bool]
) -> FimDialect | None:
    """The dialect of a model that goes by `names`; None where it does not fill or nothing is known.

    A known name decides, if the vocabulary has its markers at all (`has_piece`): Code Llama's own
    SentencePiece model has them as ordinary pieces. An unknown model is taken at its vocabulary's word,
    where only tokens that were added as markers count (`is_marker`).
    """
    known, named = by_name(names)
    if known:
        return named if named and all(map(has_piece, named.markers)) else None
    for dialect in DIALECTS:
        if not dialect.by_name_only and all(map(is_marker, (*dialect.markers, *dialect.signs))):
            return dialect
    return None
