"""Tests outside Python as text: found in a model's answer, put where they belong. Pure, by tree-sitter."""

import re
import textwrap
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from midfill.server.actions.source import Source, read_source
from midfill.server.actions.unit_tests.parsing import FENCE
from midfill.server.actions.unit_tests.rendering import Insertion, applied
from midfill.server.actions.unit_tests.styles import Style

MAX_TESTS = 8
HEADS = ("import_statement", "import_declaration", "package_clause", "package_declaration")
"""Nodes that imports stand behind."""


def tests_in(answer: str, language: str, style: Style, name: str, existing: str) -> list[str]:
    """The tests of `name` in a model's answer, each whole and once, by names that `existing` has not."""
    blocks = [code for _, code in FENCE.findall(answer.replace("\r\n", "\n") + "\n")] or [answer]
    source = read_source(language, "\n".join(blocks))
    taken = set(re.findall(style.name, existing))
    found: dict[str, str] = {}
    for node in _tests(source.tree.root_node) if source else ():
        first = _with_attributes(node)
        assert source is not None
        text = textwrap.dedent(
            " " * first.start_point.column + source.text[slice(*source.span(first, node))]
        )
        title = re.search(style.name, text)
        if title is None or node.has_error or not re.search(style.asserts, text):
            continue
        before, after = text[: title.start(1)], text[title.end(1) :]
        if not _names(name, after) or (body := " ".join(after.split())) in found:
            continue
        fresh, number = title[1], 2
        while fresh in taken:
            fresh, number = f"{title[1]}{number}", number + 1
        taken.add(fresh)
        found[body] = before + fresh + after
    return list(found.values())[:MAX_TESTS]


def insertions(
    tests: Sequence[str],
    text: str,
    language: str,
    style: Style,
    package: str,
    imports: Sequence[str],
    name: str,
) -> tuple[Insertion, ...]:
    """What adds `tests` to their file: it is `text` now, and empty where it is new. `name` is that of the
    class around them, where there is one. Raises ValueError where it would not parse any more."""
    body = "\n\n".join(textwrap.indent(test, style.indent) for test in tests)
    whole = style.opens.format(name=name) + body + "\n" + style.closes
    if not text.strip():
        parts = [package, "\n".join(imports), whole]
        found = [Insertion(len(text), "\n\n".join(filter(None, parts)))]
    else:
        source = read_source(language, text)
        if source is None or source.tree.root_node.has_error:
            raise ValueError("it has a syntax error")
        found = []
        heads = list(_heads(source))
        had = [source.words(head) for head in heads]
        if missing := [left for line in imports if (left := _without(line, had))]:
            at = max((source.span(head)[1] for head in heads), default=0)
            lines = "\n".join(missing)
            found.append(Insertion(at, f"\n{lines}" if at else f"{lines}\n\n"))
        close = _close(source, style)
        gap = "\n" * max(0, 2 - (len(text) - len(text.rstrip("\r\n"))))
        found.append(
            Insertion(len(text), gap + whole) if close is None else Insertion(close, f"\n{body}\n")
        )
    line_end = "\r\n" if "\r\n" in text else "\n"
    found = [Insertion(each.offset, each.text.replace("\n", line_end)) for each in found]
    after = read_source(language, applied(text, found))
    if after is None or after.tree.root_node.has_error:
        raise ValueError("with these tests it would have a syntax error")
    return tuple(found)


def _without(line: str, heads: Sequence[str]) -> str:
    """An import without what the imports `heads` bring already; empty: all of it. Raises ValueError where
    one of them brings something else by the same name."""
    had = "\n".join(heads)
    names = re.search(r"^(?:import|const) (?:\{ (.+) \}|([\w$]+))(?= from| =)", line)
    if names is None:  # Go names a package in quotes, alone or in a list; Java's may stand there twice
        named = re.search(r'"\w+"', line)
        return "" if (named[0] if named else line) in had else line
    left = []
    for name in re.split(r",\s*", names[1] or names[2]):
        bringing = [head for head in heads if _names(name, head)]
        if not bringing:
            left.append(name)
        elif not any(_may_be_one(_module(line), _module(head)) for head in bringing):
            raise ValueError(f"its `{name}` is another, from {_module(bringing[0])}")
    start, end = names.span(1 if names[1] else 2)
    return line[:start] + ", ".join(left) + line[end:] if left else ""


def _names(name: str, code: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", code) is not None


def _module(line: str) -> str:
    """What an import is from, as it says; without ending."""
    found = re.search(r"""(?:from|require\()\s*["'](.+?)["']""", line)
    return re.sub(r"(?:/index)?(?:\.[cm]?[jt]sx?)?$", "", found[1]) if found else ""


def _may_be_one(ours: str, other: str) -> bool:
    """Of relative paths the same one, or a folder around it that hands it on; others may lead anywhere."""
    relative = ours.startswith(".") and other.startswith(".")
    return not relative or ours == other or ours.startswith(f"{other}/")


def _tests(node: Node) -> Iterator[Node]:
    """Nodes that look like a test, without what is around them."""
    text = (node.text or b"").decode(errors="replace")
    above = (_with_attributes(node).text or b"").decode(errors="replace")
    if (
        (node.type == "expression_statement" and re.match(r"(?:test|it)\(", text))
        or (node.type == "function_declaration" and text.startswith("func Test"))
        or (node.type == "method_declaration" and "@Test" in text)
        or (node.type == "function_item" and above.startswith("#[test]"))
    ):
        yield node
        return
    for child in node.named_children:
        yield from _tests(child)


def _with_attributes(node: Node) -> Node:
    """The first of the attributes above it (Rust), else itself."""
    while (above := node.prev_named_sibling) is not None and above.type == "attribute_item":
        node = above
    return node


def _heads(source: Source) -> Iterator[Node]:
    for node in source.tree.root_node.named_children:
        required = node.type.endswith("_declaration") and "require(" in source.words(node)
        if node.type in HEADS or required:
            yield node


def _close(source: Source, style: Style) -> int | None:
    """Before the brace that ends the class or module of the tests; None: they stand by themselves."""
    kind = {"}\n": ("class_declaration", "mod_item")}.get(style.closes, ())
    around = [node for node in source.tree.root_node.named_children if node.type in kind]
    around = [n for n in around if n.type == "class_declaration" or b"tests" in (n.text or b"")[:20]]
    body = around[-1].child_by_field_name("body") if around else None
    return None if body is None else source.span(body)[1] - 1
