"""What an action would be about: the function, method or class at a cursor or around a selection. Pure.

Plain values; no node of a tree leaves this file and those beside it. Spans are code points.
"""

from dataclasses import dataclass
from enum import StrEnum

from tree_sitter import Node

from midfill.server.actions.doc_comments import doc_nodes
from midfill.server.actions.grammar import (
    WRAPPERS,
    class_name_of,
    definition_of,
    is_class,
    name_of,
    outermost,
    signature_node,
)
from midfill.server.actions.signature import Parameter, parameters_of, raised, result_of, says
from midfill.server.actions.source import Source, Span

__all__ = ["Kind", "Parameter", "Target", "find_target", "targets_of"]


class Kind(StrEnum):
    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"
    """Also a struct, an interface, an enum, a trait."""


@dataclass(frozen=True, slots=True)
class Target:
    kind: Kind
    name: str
    language: str
    span: Span
    """All of it: decorators, attributes, `export` and `template` too, but not a doc comment above it."""
    signature: Span
    """From `def`, `function`, a modifier or a type to before the body."""
    body: Span | None
    """Python: from the first statement, the docstring included. Elsewhere with its braces. None: it has
    none, as in an interface."""
    doc: Span | None
    """The docstring with its quotes, or the doc comment above it."""
    top: int
    """Where a doc comment goes if there is none: above what tools are told of it (`// @ts-ignore`), too."""
    indent: str
    """The white space before the line that it begins in."""
    enclosing: str
    """The classes around it, outermost first: `Outer.Inner`. In Go and C++ also one that it only names."""
    decorators: tuple[str, ...]
    """As written, in one line each: `@property`, `@Override`, `#[inline]`."""
    parameters: tuple[Parameter, ...]
    """Without receivers: no `self`, `cls`, `this`."""
    return_type: str
    """As written, without colon or arrow; empty where there is none."""
    returns: bool
    """It hands a value back."""
    yields: bool
    raises: tuple[str, ...]
    """The names of what its body raises or throws and its signature declares, each once."""
    is_async: bool
    is_constructor: bool
    has_errors: bool
    """The parser found a syntax error in it."""


def find_target(source: Source, start: int, end: int) -> Target | None:
    """The innermost definition around `start`–`end`, else the first one within; None: there is none.

    A cursor before the first word of a line means that word, one behind the last the word before it, one
    in a doc comment what it is about.
    """
    start, end = _trimmed(source.text, start, end)
    places = [(start, end)] if start < end else [(start, start), (max(start - 1, 0), start)]
    for first, last in places:
        low, high = source.byte(first), source.byte(last)
        around = source.tree.root_node.descendant_for_byte_range(low, high)
        node = _described(source, around) or around
        while node is not None:
            meant = _meant(node)
            if meant is not None:
                return _describe(source, meant)
            node = node.parent
    inside = _within(source.tree.root_node, source.byte(start), source.byte(end)) if start < end else None
    return _describe(source, inside) if inside is not None else None


def targets_of(source: Source, within: Span | None = None) -> list[Target]:
    """Every definition in the file, or in `within`, in reading order, each before those inside it."""
    start, end = map(source.byte, within or (0, len(source.text)))
    found: list[Target] = []
    waiting = [source.tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.end_byte <= start or end <= node.start_byte:
            continue
        if definition_of(node) is not None:
            found.append(_describe(source, node))
        waiting += reversed(node.named_children)
    return found


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    if start == end:
        line = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
        if not text[line:start].strip():
            while start < len(text) and text[start] in " \t":
                start += 1
    return start, max(start, end)


def _meant(node: Node) -> Node | None:
    """The definition that `node` is, or that is all it is there for: behind `export`, below a decorator."""
    if node.type not in WRAPPERS:
        return node if definition_of(node) is not None else None
    found = _within(node, node.start_byte, node.end_byte)
    return found if found is not None and outermost(found)[1] == node else None


def _described(source: Source, node: Node | None) -> Node | None:
    """What a doc comment or an attribute at `node` is about."""
    while node is not None and node.parent is not None and not _is_above(node.parent, node):
        node = node.parent
    below = node
    while below is not None and _is_above(below.parent, below):
        below = below.next_named_sibling
    found = _meant(below) if below is not None and below is not node else None
    if found is None or node is None:
        return None
    docs, top = doc_nodes(source, found)
    first = docs[0] if docs and source.language != "python" else top
    return found if first.start_byte <= node.start_byte else None


def _is_above(parent: Node | None, node: Node) -> bool:
    """A comment or an attribute, which stands above what it belongs to."""
    kinds = ("attribute_item", "decorator")
    above = "comment" in node.type or node.type in kinds
    return above and not (parent is not None and "comment" in parent.type)


def _within(node: Node, low: int, high: int) -> Node | None:
    """The first definition that lies between the bytes `low` and `high`."""
    if definition_of(node) is not None and low <= node.start_byte and node.end_byte <= high:
        return node
    for child in node.named_children:
        if child.end_byte > low and child.start_byte < high:
            found = _within(child, low, high)
            if found is not None:
                return found
    return None


def _describe(source: Source, node: Node) -> Target:
    definition = definition_of(node)
    assert definition is not None
    first, last, decorators = outermost(node)
    span = source.span(first, last)
    head, body = signature_node(node), definition.child_by_field_name("body")
    if body is None and (kind := definition.child_by_field_name("type")) is not None and is_class(node):
        body = kind  # Go
    start, end = source.offset(head.start_byte), source.offset(_signature_end(definition, body))
    enclosing, name = class_name_of(source, node), name_of(source, node)
    written = tuple(source.words(decorator) for decorator in decorators)
    found = parameters_of(source, definition)
    if enclosing and source.language == "python" and not any("staticmethod" in one for one in written):
        found = _without_receiver(found)
    kind_of = Kind.CLASS if is_class(node) else Kind.METHOD if enclosing else Kind.FUNCTION
    docs, top = doc_nodes(source, node)
    constructor = name in ("__init__", "constructor", enclosing.rpartition(".")[2])
    result = "" if kind_of is Kind.CLASS else result_of(source, definition)
    returns, yields = says(source, definition, result)
    return Target(
        kind=kind_of,
        name=name,
        language=source.language,
        span=span,
        signature=(start, end),
        body=source.span(body) if body is not None else None,
        doc=_doc_span(source, docs) if docs else None,
        top=source.offset(top.start_byte),
        indent=_indent(source.text, span[0]),
        enclosing=enclosing,
        decorators=written,
        parameters=found if kind_of is not Kind.CLASS or "record" in definition.type else (),
        return_type=result,
        returns=returns and kind_of is not Kind.CLASS and not constructor,
        yields=yields and kind_of is not Kind.CLASS,
        raises=raised(source, definition) if kind_of is not Kind.CLASS else (),
        is_async="async" in source.text[start:end].replace("(", " (").split(),
        is_constructor=constructor,
        has_errors=node.has_error,
    )


def _without_receiver(found: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    return found[1:] if found and found[0].name in ("self", "cls", "mcs", "mcls") else found


def _indent(text: str, at: int) -> str:
    """The white space before the line of `at`, up to there."""
    before = text[max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1 : at]
    return before[: len(before) - len(before.lstrip())]


def _signature_end(definition: Node, body: Node | None) -> int:
    """The byte behind the last of `definition` that is neither its body nor a comment before that."""
    if body is None:
        return definition.end_byte
    before = [n for n in definition.children if n.start_byte < body.start_byte and not n.is_extra]
    return before[-1].end_byte if before else body.start_byte


def _doc_span(source: Source, docs: list[Node]) -> Span:
    """Without the line end that Rust's grammar counts to a comment."""
    start, end = source.span(docs[0], docs[-1])
    return start, start + len(source.text[start:end].rstrip())
