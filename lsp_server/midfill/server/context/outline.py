"""What a file defines: signatures, class outlines, constants. Pure, but for the parser of this thread."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from midfill.server.context.kinds import KINDS, Kinds
from midfill.server.syntax.grammars import encoded, parse_in_steps

MAX_SYMBOL_CHARS = 1200
"""Of one definition, some 30 lines: what is behind them is seldom what is looked for."""
NO_BODY = " ..."
"""Python's."""
NAMES = frozenset({"identifier", "type_identifier", "property_identifier", "field_identifier"})


@dataclass(frozen=True, slots=True)
class Symbol:
    """One definition on a file's top level."""

    name: str
    members: frozenset[str]
    """Names of what it holds, methods and fields."""
    text: str
    """Its signature or outline."""
    line: int
    """Where it begins, from 0."""


def outline(language: str, text: str) -> tuple[Symbol, ...]:
    """The definitions of `text` in reading order; none where no grammar reads the language."""
    kinds = KINDS.get(language)
    root = parse_in_steps(language, text) if kinds else None
    if kinds is None or root is None:
        return ()
    source = _Source(encoded(text), kinds)
    return tuple(symbol for symbol in source.definitions(root) if symbol.name and symbol.text.strip())


@dataclass(frozen=True, slots=True)
class _Source:
    """A text and what of its nodes is shown."""

    data: bytes
    kinds: Kinds

    def definitions(self, node: Node, inside: bool = False) -> Iterator[Symbol]:
        """What stands directly in `node`, its wrappers looked through. `inside`: in a class."""
        kinds = self.kinds
        for child in node.named_children:
            members = frozenset[str]()
            if child.type in kinds.wrappers:
                yield from self._unwrapped(child, inside)
                continue
            if child.type in kinds.containers:
                shown, members = self._container(child, inside)
            elif child.type in kinds.callables:
                shown, members = self._head(child, inside), frozenset({_owner(child)} - {""})
            elif child.type in kinds.whole:
                shown = self._whole(child, inside)
            else:
                continue
            yield Symbol(_name(child), members, _cut(shown), child.start_point.row)

    def _unwrapped(self, node: Node, inside: bool) -> Iterator[Symbol]:
        """What `node` holds; with the decorators that it puts before it."""
        before = [child for child in node.named_children if child.type == "decorator"]
        lines = [self._text(child, child.end_byte, inside) + "\n" for child in before]
        for symbol in self.definitions(node, inside):
            yield replace(symbol, text="".join(lines) + symbol.text)

    def _container(self, node: Node, inside: bool) -> tuple[str, frozenset[str]]:
        """A class: its head and its members; and the members' names."""
        body = node.child_by_field_name("body")
        head = self._text(node, body.start_byte if body else node.end_byte, inside)
        lines = [head.rstrip().removesuffix("{").rstrip()]
        found = list(self.definitions(body, inside=True)) if body else []
        lines += [symbol.text for symbol in found]
        if self.kinds.elision != NO_BODY:
            lines[0] += " {"
            lines.append("}")
        elif not found:
            lines[0] += NO_BODY
        return "\n".join(lines), frozenset(symbol.name for symbol in found)

    def _head(self, node: Node, inside: bool) -> str:
        """A function up to its body."""
        body = node.child_by_field_name("body")
        if body is None:
            return self._text(node, node.end_byte, inside)
        head = self._text(node, body.start_byte, inside).rstrip()
        return head.removesuffix("{").rstrip() + self.kinds.elision

    def _whole(self, node: Node, inside: bool) -> str:
        """As it stands; a function that is a constant's value without its body."""
        for child in node.named_children:
            value = child.child_by_field_name("value")
            body = value.child_by_field_name("body") if value is not None else None
            if value is not None and value.type in ("arrow_function", "function_expression") and body:
                return self._text(node, body.start_byte, inside).rstrip().removesuffix("=>").rstrip()
        return self._text(node, node.end_byte, inside)

    def _text(self, node: Node, end_byte: int, inside: bool) -> str:
        """The node's text up to `end_byte`. A member keeps its indentation."""
        start = node.start_byte
        before = self.data[self.data.rfind(b"\n", 0, start) + 1 : start].decode(errors="replace")
        indent = (before if not before.strip() else "    ") if inside else ""
        return indent + self.data[start:end_byte].decode(errors="replace")


def _name(node: Node) -> str:
    """What it is called; an `impl` by the type it is for."""
    found = node.child_by_field_name("name") or node.child_by_field_name("left")
    if node.type == "impl_item":
        found = node.child_by_field_name("type")
    if found is None:
        found = node.child_by_field_name("declarator")
    for _ in range(6):  # a declarator within a declarator: pointers, functions
        if found is None or found.type in NAMES:
            break
        inner = found.child_by_field_name("declarator") or found.child_by_field_name("name")
        found = inner or next((child for child in found.named_children if child.type in NAMES), None)
    if found is None:
        return _first_name(node)
    return (found.text or b"").decode(errors="replace")


def _first_name(node: Node) -> str:
    """Of a declaration that holds others: its first one's."""
    for child in node.named_children:
        found = child.child_by_field_name("name")
        if found is not None:
            return (found.text or b"").decode(errors="replace")
        if child.type in NAMES:
            return (child.text or b"").decode(errors="replace")
    return ""


def _owner(node: Node) -> str:
    """The type that a Go method belongs to."""
    receiver = node.child_by_field_name("receiver")
    while receiver is not None and receiver.type != "type_identifier":
        receiver = next(
            (
                child.child_by_field_name("type") or child
                for child in receiver.named_children
                if child.type in ("parameter_declaration", "pointer_type", "type_identifier")
            ),
            None,
        )
    return (receiver.text or b"").decode(errors="replace") if receiver else ""


def _cut(text: str) -> str:
    if len(text) <= MAX_SYMBOL_CHARS:
        return text
    return text[: max(text.rfind("\n", 0, MAX_SYMBOL_CHARS), 0)] or text[:MAX_SYMBOL_CHARS]
