"""Whether two texts are the same code: their trees without comments and docstrings. Pure.

What an action inserts never alters what runs; this is the proof of it, made before every edit.
"""

from tree_sitter import Node

from midfill.server.actions.grammar import docstring_node
from midfill.server.actions.source import Source


def same_code(before: Source, after: Source) -> bool:
    """Compare node by node; 10 ms at 10,000 lines of which few differ."""
    return _same(before, before.tree.root_node, after, after.tree.root_node)


def _same(before: Source, old: Node, after: Source, new: Node) -> bool:
    if old.type != new.type or old.is_missing != new.is_missing:
        return False
    if old.text == new.text and str(old) == str(new):
        return True
    mine, theirs = _code_in(before, old), _code_in(after, new)
    if not old.children or not new.children:
        return not mine and not theirs and old.text == new.text
    if len(mine) != len(theirs):
        return False
    return all(_same(before, a, after, b) for a, b in zip(mine, theirs, strict=True))


def _code_in(source: Source, node: Node) -> list[Node]:
    """The children that run. A semicolon of Python's is a line end."""
    said = (
        docstring_node(node) if source.language == "python" and node.type in ("block", "module") else None
    )
    statement = said.parent if said is not None else None
    return [
        child
        for child in node.children
        if "comment" not in child.type
        and not (child.type == ";" and source.language == "python")
        and (statement is None or child.id != statement.id)
    ]
