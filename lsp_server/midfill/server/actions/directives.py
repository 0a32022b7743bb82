"""Comments that tools obey, told from prose: a comment between one and its code would disarm it. Pure.

Sources: go/ast's isDirective, golangci-lint, cgo; the manuals of the tools that are named here.
"""

import re

GO = re.compile(r"//(?:(?:line|export|extern) |[a-z0-9]+:[a-z0-9]| nolint:|nolint\b| ?#nosec\b)")
PYTHON = re.compile(r"#\s*pylint:\s*disable-next\b")
OTHERS = re.compile(
    r"(?://|/\*)[\s/*!]*(?:"
    r"@ts-(?:ignore|expect-error|check|nocheck)\b|\$Flow(?:FixMe|Ignore|ExpectedError|Issue)\b"
    r"|(?:es|ox|ts|style)lint[-:]disable|jshint ignore:|deno-(?:lint|fmt|coverage)-ignore"
    r"|(?:prettier|dprint|biome|rome)-ignore\b|(?:istanbul|c8|v8) ignore (?!stop)"
    r"|node:coverage (?:disable|ignore)|[@#]__(?:NO_SIDE_EFFECTS|PURE)__"
    r"|NOLINT(?:NEXTLINE|BEGIN)?\b|clang-format off\b|cppcheck-suppress|coverity\[|IWYU pragma:"
    r"|(?:LCOV|GCOVR?)_EXCL_(?:BR_)?START|noinspection |@formatter:off\b|spotless:off\b|CHECKSTYLE[:.]OFF"
    r"|NOSONAR\b|NOPMD\b)"
)
"""Not what ends such a stretch (`clang-format on`): that is about the code above it."""


def is_directive(language: str, comment: str) -> bool:
    """Whether `comment`, with its marks, is none to read."""
    return bool({"go": GO, "python": PYTHON}.get(language, OTHERS).match(comment))
