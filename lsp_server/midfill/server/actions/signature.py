"""What a definition takes and gives back: parameters, result, what it raises. Pure, one tree at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from midfill.server.actions.grammar import CLASSES, FUNCTIONS, VALUES, function_declarator
from midfill.server.actions.source import Source

NOTHING = frozenset({"None", "void", "()", "!", "NoReturn", "Never", "never", "undefined", "Promise<void>"})
"""Types of functions that hand nothing back."""
NAMES = frozenset({"identifier", "field_identifier", "shorthand_property_identifier_pattern"})
UNNAMED = frozenset({"object_pattern", "array_pattern"})
RETURNS = frozenset({"return_statement", "return_expression"})
RAISES = frozenset({"raise_statement", "throw_statement", "throw_expression"})
STARS = {"list_splat_pattern": "*", "dictionary_splat_pattern": "**", "rest_pattern": "*"}
STARS |= dict.fromkeys(("spread_parameter", "variadic_parameter_declaration"), "*")


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: str = ""
    """As written; empty where the signature says none."""
    default: str = ""
    stars: str = ""
    """`*` where it takes what is left over, by place, `**` by name."""


def parameters_of(source: Source, definition: Node) -> tuple[Parameter, ...]:
    """Every parameter that has a name, in order. JavaScript's patterns are called `options`."""
    alone = definition.child_by_field_name("parameter")
    if alone is not None:
        return (Parameter(source.words(alone)),)
    holder = function_declarator(definition) or definition
    listed = holder.child_by_field_name("parameters")
    if listed is None or listed.type == "type_parameters":
        return ()
    found: list[Parameter] = []
    for node in listed.named_children:
        found += _read(source, node, patterns=sum(one.name.startswith("options") for one in found))
    return tuple(found)


def _read(source: Source, node: Node, patterns: int) -> list[Parameter]:
    if node.type in ("self_parameter", "receiver_parameter", "comment") or node.is_extra:
        return []
    kind = source.words(node.child_by_field_name("type")).removeprefix(":").strip()
    default = ""
    for name in ("value", "right", "default_value"):
        default = default or source.words(node.child_by_field_name(name))
    several = node.children_by_field_name("name")
    if len(several) > 1:  # Go: a, b int
        return [Parameter(source.words(one), kind) for one in several if source.words(one) != "_"]
    named, stars = _name(node)
    if named is None:
        return []
    if named.type in UNNAMED:
        called = f"options{patterns + 1}" if patterns else "options"
        return [Parameter(called, kind or source.words(named), default, stars)]
    name = source.words(named)
    if name in ("_", "this") or named.type == "this":
        return []
    if not kind and node.type == "spread_parameter":
        kind = source.words(node.named_children[0])
    return [Parameter(name, kind, default, stars)]


def _name(node: Node) -> tuple[Node | None, str]:
    """The node that is a parameter's name, and its stars."""
    stars, inner = "", node
    for _ in range(8):  # no declarator nests deeper by hand
        stars = STARS.get(inner.type, stars)
        if inner.type in NAMES or inner.type in UNNAMED or inner.type == "this":
            return inner, stars
        for field in ("name", "pattern", "left", "declarator"):
            step = inner.child_by_field_name(field)
            if step is not None:
                break
        else:
            typed = inner.child_by_field_name("type")
            rest = [n for n in inner.named_children if typed is None or n.id != typed.id]
            step = next((n for n in reversed(rest) if _leads(n)), None)
        if step is None:
            return None, stars
        inner = step
    return None, stars


def _leads(node: Node) -> bool:
    return (
        node.type in NAMES | UNNAMED or node.type.endswith(("declarator", "pattern")) or node.type == "this"
    )


def result_of(source: Source, definition: Node) -> str:
    """The type that the signature says it hands back, as written; empty where it says none."""
    for field in ("return_type", "result"):
        node = definition.child_by_field_name(field)
        if node is not None:
            return source.words(node).removeprefix(":").strip()
    kind = definition.child_by_field_name("type")
    declarator = definition.child_by_field_name("declarator")
    stars = "*" if declarator is not None and declarator.type == "pointer_declarator" else ""
    return source.words(kind) + stars


def says(source: Source, definition: Node, result: str) -> tuple[bool, bool]:
    """(it hands a value back, it yields). A type in the signature decides before the body does."""
    body = definition.child_by_field_name("body")
    if body is None:
        return bool(result) and result not in NOTHING, False
    if definition.type == "arrow_function" and body.type != "statement_block":
        return True, False
    returns = yields = False
    for node in _own(body):
        value = node.named_children[0] if node.named_children else None
        if node.type in RETURNS and value is not None and source.words(value) not in ("None", "undefined"):
            returns = True
        yields = yields or node.type in ("yield", "yield_expression")
    if result:
        returns = result not in NOTHING
    return returns and not yields, yields


def raised(source: Source, definition: Node) -> tuple[str, ...]:
    """What its signature declares and its body raises by name, each once."""
    found: list[str] = []
    for child in definition.named_children:
        if child.type == "throws":
            found += [source.words(kind) for kind in child.named_children if not kind.is_extra]
    body = definition.child_by_field_name("body")
    for node in _own(body) if body is not None else ():
        if node.type in RAISES:
            found += [_raised_name(source, one) for one in node.named_children if not one.is_extra][:1]
    return tuple(dict.fromkeys(name for name in found if name))


def _raised_name(source: Source, node: Node) -> str:
    """`ValueError` of `ValueError("no")` and `ValueError`; empty for what is no type's name."""
    for field in ("function", "constructor", "type"):
        called = node.child_by_field_name(field)
        if called is not None:
            node = called
    name = source.words(node)
    last = name.rpartition("::")[2].rpartition(".")[2]
    is_type = last[:1].isupper() or name.startswith("std::")
    return (
        name if is_type and all(part.isidentifier() for part in name.replace("::", ".").split(".")) else ""
    )


def _own(body: Node) -> Iterator[Node]:
    """Every node of a body in reading order but for those of functions and classes inside it."""
    waiting = [body]
    while waiting:
        node = waiting.pop()
        yield node
        inside = [n for n in node.named_children if n.type not in FUNCTIONS | VALUES | CLASSES | {"lambda"}]
        waiting += reversed(inside)
