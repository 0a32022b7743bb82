"""How text from other files of a repository stands in a prompt, family by family.

Values, as in `table.py`: which markers and words go around a path and a text. What is made of them is in
`model/surroundings.py`. Knows no tokenizer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Field(StrEnum):
    """A place that something of the user's goes to: encoded as text, whatever it spells."""

    REPOSITORY = "repository"
    PATH = "path"
    TEXT = "text"
    """Ends with one line end."""
    COMMENTED = "commented"
    """The path and the text as comments of the cursor's language."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker, one id in the model's vocabulary."""

    name: str


Part = Field | Mark | str
"""A plain string is words: encoded as text."""


@dataclass(frozen=True, slots=True)
class RepositoryFormat:
    """One family's way to show other files before the cursor's."""

    file: tuple[Part, ...]
    """One other file."""
    head: tuple[Part, ...] = ()
    """Before the first of them, where the repository has a name."""
    current: tuple[Part, ...] = ()
    """Between the last of them and the file of the cursor."""
    in_prefix: tuple[Part, ...] = ()
    """What of `current` stands within the FIM prompt, at the prefix's beginning."""
    all_in_prefix: bool = False
    """Everything stands there: the family's fill-in-the-middle knows nothing outside it."""

    @property
    def markers(self) -> tuple[str, ...]:
        """Every marker, each of which the model's vocabulary must have."""
        parts = (*self.head, *self.file, *self.current, *self.in_prefix)
        return tuple(dict.fromkeys(part.name for part in parts if isinstance(part, Mark)))


# Continue's way for models that have none of their own. On Python it cost no more than 0.9 points of exact
# match against the families' own (granite-completebench; pipeline.md §9.2).
COMMENTS = RepositoryFormat(file=(Field.COMMENTED,), all_in_prefix=True)
# QwenLM/Qwen3-Coder examples/Qwen2.5-Coder-repolevel-fim.py, issue 343.
QWEN = RepositoryFormat(
    head=(Mark("<|repo_name|>"), Field.REPOSITORY, "\n"),
    file=(Mark("<|file_sep|>"), Field.PATH, "\n", Field.TEXT),
    current=(Mark("<|file_sep|>"), Field.PATH, "\n"),
)
# arXiv 2402.19173 §5.1: the path of the file with the hole is part of its prefix.
STARCODER2 = RepositoryFormat(
    head=(Mark("<repo_name>"), Field.REPOSITORY),
    file=(Mark("<file_sep>"), Field.PATH, "\n", Field.TEXT),
    current=(Mark("<file_sep>"),),
    in_prefix=(Field.PATH, "\n"),
)
# BigCode's playground, formats.md, less the stars, which nobody knows; the hole was cut into the text with
# these headers in it (bigcode-project/Megatron-LM megatron/data/gpt_dataset.py).
STARCODER = RepositoryFormat(
    head=(Mark("<reponame>"), Field.REPOSITORY),
    file=(Mark("<filename>"), Field.PATH, "\n", Field.TEXT),
    current=(Mark("<filename>"), Field.PATH, "\n"),
    all_in_prefix=True,
)
# inference.md §2: of StarCoder's separators, Granite was taught the repository's name alone.
GRANITE = RepositoryFormat(
    head=(Mark("<reponame>"), Field.REPOSITORY, "\n"),
    file=(Field.COMMENTED,),
    all_in_prefix=True,
)
# arXiv 2406.11409, figures 2 and 4.
CODEGEMMA = RepositoryFormat(
    file=(Field.PATH, "\n", Field.TEXT, Mark("<|file_separator|>")),
    current=(Field.PATH, "\n"),
)
# Card of JetBrains/Mellum-4b-base, "additional files as context".
MELLUM = RepositoryFormat(
    file=(Mark("<filename>"), Field.PATH, "\n", Field.TEXT),
    current=(Mark("<filename>"), Field.PATH, "\n"),
)
# DeepSeek-Coder README, "Repository Level Code Completion"; its issue 85.
DEEPSEEK = RepositoryFormat(
    file=("#", Field.PATH, "\n", Field.TEXT, "\n"),
    current=("#", Field.PATH, "\n"),
    all_in_prefix=True,
)
# continuedev/continue AutocompleteTemplate.ts, for Codestral with several files.
CODESTRAL = RepositoryFormat(
    file=("+++++ ", Field.PATH, "\n", Field.TEXT, "\n"),
    current=("+++++ ", Field.PATH, "\n"),
    all_in_prefix=True,
)

FORMATS: Mapping[str, RepositoryFormat] = {
    "qwen2.5-coder": QWEN,
    "starcoder2": STARCODER2,
    "starcoder": STARCODER,
    "refact": STARCODER,
    "granite": GRANITE,
    "codegemma": CODEGEMMA,
    "mellum": MELLUM,
    "deepseek-coder": DEEPSEEK,
    "codestral": CODESTRAL,
}
"""By a dialect's family; every other has `COMMENTS`."""

# What begins and ends a line comment, by LSP language identifier; `//` where nothing is said.
LINE_COMMENTS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            *("python", "ruby", "perl", "perl6", "r", "shellscript", "powershell", "makefile", "cmake"),
            *("dockerfile", "yaml", "toml", "julia", "elixir", "coffeescript", "nim", "nix"),
        ),
        ("# ", ""),
    ),
    **dict.fromkeys(("lua", "sql", "haskell", "ada", "elm", "vhdl"), ("-- ", "")),
    **dict.fromkeys(("lisp", "scheme", "clojure", "racket", "ini"), ("; ", "")),
    **dict.fromkeys(("latex", "tex", "erlang", "matlab", "prolog"), ("% ", "")),
    **dict.fromkeys(("html", "xml", "markdown", "vue", "svelte"), ("<!-- ", " -->")),
    "css": ("/* ", " */"),
    "vim": ('" ', ""),
    "fortran": ("! ", ""),
}
ELSE_COMMENT = ("// ", "")


def repository_format(family: str, marker_id: Callable[[str], int | None]) -> RepositoryFormat:
    """The format of a dialect's family; comments where it has none, or the vocabulary lacks a marker."""
    found = FORMATS.get(family, COMMENTS)
    return COMMENTS if any(marker_id(marker) is None for marker in found.markers) else found


def commented(path: str, text: str, language: str) -> str:
    """A file's path and text as comments of `language`, blank lines left blank."""
    begin, end = LINE_COMMENTS.get(language, ELSE_COMMENT)
    lines = [f"Path: {path}", *text.removesuffix("\n").split("\n")]
    return "".join(f"{begin}{line}{end}".rstrip() + "\n" if line.strip() else "\n" for line in lines)
