"""What a parser says of the text around a cursor: is it whole, does a block begin, what is never reached.

Every question takes an LSP language id and says so where no grammar reads it. Keeps no tree: a frame
(`frame.py`) parses in under 1 ms. Sources: the node names of the grammars in `grammars.py`.
"""

from collections.abc import Iterator

from tree_sitter import Node

from midfill.server.syntax.grammars import encoded, parser_for

LEAVING = frozenset(
    {
        "return_statement",
        "raise_statement",
        "throw_statement",
        "break_statement",
        "continue_statement",
        "return_expression",
        "break_expression",
        "continue_expression",
    }
)
"""Below these nothing in the same block runs."""
BLOCKS = frozenset(
    {
        "block",
        "statement_block",
        "compound_statement",
        "class_body",
        "declaration_list",
        "field_declaration_list",
        "switch_body",
        "interface_body",
        "enum_body",
        "constructor_body",
        "match_block",
        "module",
        "program",
        "source_file",
        "statement_list",
        "translation_unit",
    }
)
COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
LABELS = ("case", "default", "label", "switch", "function", "class")
"""Begin what is reached from elsewhere: a label, or (JavaScript) a function that is lifted up."""
DEFINITIONS = frozenset({"function_definition", "class_definition"})
STAND_IN = "midfill;"
"""A statement put where the cursor is, to ask what it stands in."""


def is_whole(language: str, text: str) -> bool | None:
    """Whether `text` has no syntax error and misses nothing."""
    root = _root(language, text)
    return None if root is None else not root.has_error


def begins_block(language: str, before: str, after: str) -> bool | None:
    """Whether what is written at the cursor would be the first statement of a block: comments and, in
    Python, a docstring may stand before it."""
    above, line_end, cursors = before.rpartition("\n")
    if not cursors:  # a blank line without indentation: it belongs to what stands above it
        near = above.rstrip().rpartition("\n")[2]
        cursors = near[: len(near) - len(near.lstrip())]
    text = above + line_end + cursors + STAND_IN
    root = _root(language, text + after)
    if root is None:
        return None
    at = len(encoded(text)) - len(STAND_IN)
    node = root.descendant_for_byte_range(at, at)
    while node is not None and node.parent is not None and node.parent.type not in BLOCKS:
        node = node.parent
    if node is None or node.parent is None or node.parent.parent is None:
        return False
    inside = node.parent.parent.type in DEFINITIONS
    before_it = [child for child in node.parent.named_children if child.end_byte <= node.start_byte]
    said = [child for child in before_it if child.type not in COMMENTS]
    return all(inside and _is_docstring(child) for child in said)


def unreached(language: str, before: str, text: str, after: str) -> list[int]:
    """Where in `text` (code points) statements begin that no control flow reaches, in reading order; none
    where no grammar reads it. What stood before `text` decides as well."""
    root = _root(language, before + text + after)
    if root is None:
        return []
    code = encoded(before + text)
    first = len(encoded(before))
    return [len(code[first : node.start_byte].decode()) for node in _dead(root, first, len(code))]


def _root(language: str, text: str) -> Node | None:
    parser = parser_for(language)
    return parser.parse(encoded(text)).root_node if parser else None


def _is_docstring(node: Node) -> bool:
    return node.type == "expression_statement" and [n.type for n in node.named_children] == ["string"]


def _dead(node: Node, first: int, last: int) -> Iterator[Node]:
    """Statements in bytes `first`–`last` that stand below one that always leaves, in reading order."""
    if node.end_byte <= first or node.start_byte >= last:
        return
    left = False
    for child in node.named_children:
        if child.type in COMMENTS:
            continue
        if left and not child.type.startswith(LABELS):
            if first <= child.start_byte < last and not child.is_error:
                yield child
                return
        else:
            left = node.type in BLOCKS and _leaves(child)
        yield from _dead(child, first, last)


def _leaves(node: Node) -> bool:
    """Whether control never comes out below `node`."""
    if node.has_error:
        return False
    if node.type in LEAVING:
        return True
    if node.type == "expression_statement" and len(node.named_children) == 1:
        return _leaves(node.named_children[0])
    if node.type in ("if_statement", "if_expression"):
        arms = [child for child in node.children if _is_arm(child)]
        return _has_else(node) and all(_leaves(arm) for arm in arms)
    if node.type in BLOCKS or node.type in ("else_clause", "elif_clause"):
        last = [child for child in node.named_children if child.type not in COMMENTS][-1:]
        return bool(last) and _leaves(last[0])
    return False


def _is_arm(node: Node) -> bool:
    name = node.type
    return name in BLOCKS or name in LEAVING or name in ("else_clause", "elif_clause", "if_statement")


def _has_else(node: Node) -> bool:
    return any(child.type in ("else_clause", "else") for child in node.children)
