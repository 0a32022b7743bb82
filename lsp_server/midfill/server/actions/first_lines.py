"""What has to come first in a file: a byte order mark, a shebang, Python's encoding. Pure."""

import re

SHEBANG = re.compile(r"\ufeff?(?:#!(?!\s*\[)[^\r\n]*(?:\r\n?|\n|\Z))?")
"""Also empty. Rust's `#![attribute]` is none: a comment may stand above it."""
CODING = re.compile(
    r"\ufeff?(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n))?"
    r"[ \t\f]*#[^\r\n]*?coding[:=][ \t]*[-\w.][^\r\n]*(?:\r\n?|\n|\Z)"
)
"""Up to the end of the encoding's line: the first, or the second below a comment or nothing (PEP 263)."""


def end_of_first_lines(language: str, text: str) -> int:
    """The offset behind them: a comment of ours belongs there at the earliest."""
    ends = [SHEBANG.match(text)]
    if language == "python":
        ends.append(CODING.match(text))
    return max(found.end() for found in ends if found is not None)
