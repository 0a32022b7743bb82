"""Doc comments above a definition: JSDoc, Javadoc, Doxygen, Go's and Rust's. Pure.

Sources: jsdoc.app, TSDoc, Oracle's Javadoc guide, Doxygen's manual, go.dev/doc/comment, the rustdoc book.
"""

import re

from midfill.server.actions.docstrings.content import Content
from midfill.server.actions.docstrings.wrapping import wrapped
from midfill.server.actions.targets import Kind, Target

SCRIPTS = ("javascript", "javascriptreact", "typescript", "typescriptreact")
TYPED = ("typescript", "typescriptreact")


def doc_comment(content: Content, target: Target, text: str, width: int) -> list[str]:
    """The comment's lines without indentation, in the style that `text`, the file, has."""
    language = target.language
    if language == "go":
        lines = _go(content, target, width - 3)
        above_directives = target.doc is None and target.top < target.span[0]
        return _prefixed([*lines, *[""] * above_directives], "//")  # as gofmt has it
    if language == "rust":
        return _prefixed(_rust(content, width - 4), "///")
    lines = _tagged(content, target, width - 3)
    if language in ("c", "cpp", "cuda-cpp") and len(re.findall(r"^\s*///", text, re.M)) > text.count("/**"):
        return _prefixed(lines, "///")
    if len(lines) == 1 and len(lines[0]) + 7 <= width:
        return [f"/** {lines[0]} */"]
    return ["/**", *[f" * {line}".rstrip() for line in lines], " */"]


def _prefixed(lines: list[str], mark: str) -> list[str]:
    return [f"{mark} {line}".rstrip() for line in lines]


def _tagged(content: Content, target: Target, width: int) -> list[str]:
    """Lines with `@param` and the like, as the language spells them."""
    language = target.language
    doxygen = language in ("c", "cpp", "cuda-cpp")
    script = language in SCRIPTS
    tags: list[tuple[str, str]] = []
    for one, said in content.parameters:
        name = one.name
        if language in SCRIPTS and language not in TYPED and one.default:
            shown = len(one.default) <= 20 and "*/" not in one.default  # which would end the comment
            name = f"[{name}={one.default}]" if shown else f"[{name}]"
        tags.append((f"@param {name} -" if script else f"@param {name}", said))
    if content.result:
        tags.append(("@yields" if content.yields else "@returns" if script else "@return", content.result))
    thrown = "@throws {{{}}}" if script else "@throws {}"
    tags += [(thrown.format(name), said) for name, said in content.raises]
    summary = f"@brief {content.summary}" if doxygen else content.summary
    lines = [*wrapped(summary, width), *_paragraph(content.details, width)]
    if tags:
        lines.append("")
    for tag, said in tags:
        lines += wrapped(f"{tag} {said}", width, "", "    ")
    return lines


def _go(content: Content, target: Target, width: int) -> list[str]:
    """Go's comments begin with the name; what it takes and gives follows as a list."""
    said = content.summary
    if not said.startswith(target.name):
        verb = re.match(r"[A-Z][a-z]+[^s\W]s\b", said)  # Adds, Returns
        link = " is " if target.kind is Kind.CLASS else " " if verb else ": "
        said = f"{target.name}{link}{said[0].lower()}{said[1:]}"
    lines = [*wrapped(said, width), *_paragraph(content.details, width)]
    if content.parameters:
        lines += ["", "Parameters:"]
    for one, about in content.parameters:
        lines += wrapped(f"- {one.name}: {about}", width, "  ", "    ")
    if content.result:
        lines += ["", *wrapped(f"Returns {_small(content.result)}", width)]
    return lines


def _rust(content: Content, width: int) -> list[str]:
    lines = [*wrapped(content.summary, width), *_paragraph(content.details, width)]
    if content.parameters:
        lines += ["", "# Arguments", ""]
    for one, said in content.parameters:
        lines += wrapped(f"* `{one.name}` - {said}", width, "", "  ")
    if content.result:
        lines += ["", "# Returns", "", *wrapped(content.result, width)]
    return lines


def _paragraph(said: str, width: int) -> list[str]:
    return ["", *wrapped(said, width)] if said else []


def _small(said: str) -> str:
    """In the middle of a sentence, unless it begins with a name."""
    first = said.split()[0]
    return said if any(c.isupper() for c in first[1:]) or first == "I" else said[0].lower() + said[1:]
