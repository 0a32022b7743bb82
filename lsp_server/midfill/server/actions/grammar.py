"""How each grammar spells a definition: its node, its name, what is around it, its docstring.

Sources: the node types of the grammars in `syntax/grammars.py`. Knows no parameters: see `signature.py`; no
doc comments: see `doc_comments.py`.
"""

from tree_sitter import Node

from midfill.server.actions.source import Source

FUNCTIONS = frozenset(
    {
        "function_definition",
        "function_declaration",
        "generator_function_declaration",
        "function_signature",
        "function_item",
        "function_signature_item",
        "method_definition",
        "method_declaration",
        "method_signature",
        "abstract_method_signature",
        "constructor_declaration",
        "compact_constructor_declaration",
    }
)
CLASSES = frozenset(
    {
        "class_definition",
        "class_declaration",
        "abstract_class_declaration",
        "interface_declaration",
        "record_declaration",
        "enum_declaration",
        "annotation_type_declaration",
        "struct_item",
        "enum_item",
        "union_item",
        "trait_item",
        "class_specifier",
        "struct_specifier",
        "union_specifier",
        "enum_specifier",
    }
)
VALUES = frozenset({"arrow_function", "function_expression", "generator_function", "function"})
"""JavaScript's functions that get their name from where they are put."""
NAMING = {
    "variable_declarator": ("name", "value"),
    "field_definition": ("property", "value"),
    "public_field_definition": ("name", "value"),
    "pair": ("key", "value"),
    "assignment_expression": ("left", "right"),
}
"""Node that names a value → its fields with the name and the value."""
WRAPPERS = frozenset(
    {
        "decorated_definition",
        "export_statement",
        "ambient_declaration",
        "lexical_declaration",
        "variable_declaration",
        "expression_statement",
        "template_declaration",
        "type_declaration",
    }
)
SCOPES = frozenset({"impl_item", "internal_module"}) | CLASSES


def definition_of(node: Node) -> Node | None:
    """The node with the parameters and the body, if `node` defines a named function or class."""
    if node.type in NAMING:
        value = node.child_by_field_name(NAMING[node.type][1])
        return value if value is not None and value.type in VALUES else None
    if node.type in CLASSES:
        written = node.child_by_field_name("body") is not None or node.type.endswith("_item")
        return node if written and node.child_by_field_name("name") is not None else None
    if node.type == "type_spec":
        kind = node.child_by_field_name("type")
        return node if kind is not None and kind.type in ("struct_type", "interface_type") else None
    if node.type in ("declaration", "field_declaration") and function_declarator(node) is not None:
        return None if _is_in_body(node) else node
    if node.type in FUNCTIONS:
        named = node.child_by_field_name("name") or function_declarator(node)
        return node if named is not None else None
    return None


def is_class(node: Node) -> bool:
    return node.type in CLASSES or node.type == "type_spec"


def function_declarator(node: Node) -> Node | None:
    """C and C++: the declarator with the name and the parameters, behind pointers and references."""
    inner = node.child_by_field_name("declarator")
    while inner is not None and inner.type in ("pointer_declarator", "reference_declarator"):
        inner = inner.child_by_field_name("declarator") or next(iter(inner.named_children), None)
    if inner is None or inner.type != "function_declarator":
        return None
    called = inner.child_by_field_name("declarator")
    return None if called is None or called.type == "parenthesized_declarator" else inner


def _is_in_body(node: Node) -> bool:
    """C and C++: there `Lock lock(mutex_);` is a variable, which the grammar takes for a function."""
    above = node.parent
    while above is not None and above.type != "compound_statement":
        above = above.parent
    return above is not None


def _name_node(node: Node) -> Node | None:
    if node.type in NAMING:
        return node.child_by_field_name(NAMING[node.type][0])
    declarator = function_declarator(node)
    return declarator.child_by_field_name("declarator") if declarator else node.child_by_field_name("name")


def name_of(source: Source, node: Node) -> str:
    """The last part of what it is called: `bar` for `A::bar` and `exports.bar`."""
    name = source.words(_name_node(node))
    return name.rpartition("::")[2].rpartition(".")[2].strip("\"'")


def class_name_of(source: Source, node: Node) -> str:
    """The classes around it, by dots; where it only names its class (C++, Go), that one."""
    names: list[str] = []
    above = node.parent
    while above is not None:
        if above.type in SCOPES:
            field = "type" if above.type == "impl_item" else "name"
            names.append(source.words(above.child_by_field_name(field)))
        elif above.type in FUNCTIONS | VALUES:
            break  # a function inside a method is no method
        above = above.parent
    receiver = node.child_by_field_name("receiver")
    if receiver is not None:
        kinds = [parameter.child_by_field_name("type") for parameter in receiver.named_children]
        names += [source.words(kind).lstrip("*") for kind in kinds]
    elif node.type == "function_definition" and "::" in source.words(_name_node(node)):
        names.insert(0, source.words(_name_node(node)).rpartition("::")[0].replace("::", "."))
    return ".".join(reversed([name for name in names if name]))


def outermost(node: Node) -> tuple[Node, Node, list[Node]]:
    """(its first node, its last, its decorators): with all that belongs to it but a doc comment."""
    last, decorators = node, _annotations(node)
    while last.parent is not None and last.parent.type in WRAPPERS:
        if len([n for n in last.parent.named_children if n.type in NAMING or n.type == "type_spec"]) > 1:
            break  # const f = …, g = …
        last = last.parent
        decorators = _annotations(last) + decorators
    first = last
    while (above := first.prev_named_sibling) is not None and above.type in ("attribute_item", "decorator"):
        first = above
        decorators.insert(0, above)
    return first, last, decorators


def _annotations(node: Node) -> list[Node]:
    found = [child for child in node.named_children if child.type == "decorator"]
    for child in node.named_children:
        if child.type == "modifiers":
            found += [word for word in child.named_children if word.type.endswith("annotation")]
    return found


def signature_node(node: Node) -> Node:
    """The node that the signature begins at: behind decorators, with `export` and `const`."""
    last = outermost(node)[1]
    return last.child_by_field_name("definition") or last


def docstring_node(block: Node | None) -> Node | None:
    """Python: the docstring of a block or a module; a string that is put together at run time is none."""
    if block is None:
        return None
    first = next((n for n in block.named_children if "comment" not in n.type), block)
    if first.type != "expression_statement" or len(first.named_children) != 1:
        return None
    said = first.named_children[0]
    parts = said.named_children if said.type == "concatenated_string" else [said]
    return said if all(part.type == "string" and _is_plain(part) for part in parts) else None


def _is_plain(string: Node) -> bool:
    quotes = string.named_children[0].text or b"" if string.named_children else b""
    return not set(quotes) & set(b"bBfFtT")
