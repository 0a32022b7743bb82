"""The doc comment above a definition, and the directives between the two, which stay where they are.

In Python, the docstring.
"""

from tree_sitter import Node

from midfill.server.actions.directives import is_directive
from midfill.server.actions.grammar import docstring_node, outermost
from midfill.server.actions.source import Source

DOC_STARTS = {"rust": ("///", "/**"), "go": ("//", "/*"), "": ("/**",)}
DOC_STARTS |= dict.fromkeys(("c", "cpp", "cuda-cpp"), ("/**", "/*!", "///", "//!"))
"""What a doc comment begins with."""


def doc_nodes(source: Source, node: Node) -> tuple[list[Node], Node]:
    """(the docstring of a Python definition, the doc comment of another; the node that a doc comment stands
    above: the first directive or the definition's first).

    No node or, for a comment of several `//`, many; directly above it, or it is about something else.
    """
    first = top = below = outermost(node)[0]
    if source.language == "python":
        said = docstring_node(node.child_by_field_name("body"))
        return [] if said is None else [said], top
    starts = DOC_STARTS.get(source.language, DOC_STARTS[""])
    found: list[Node] = []
    while (above := below.prev_named_sibling) is not None and "comment" in above.type:
        text = source.code[above.start_byte : above.end_byte].decode()
        between = source.code[above.start_byte + len(text.rstrip().encode()) : below.start_byte]
        line = source.code.rfind(b"\n", 0, above.start_byte) + 1
        alone = not source.code[line : above.start_byte].strip()
        lines = between.count(b"\n") or between.count(b"\r")
        directs, is_block = is_directive(source.language, text), text.startswith("/*")
        if lines > 1 or not alone or (found and (directs or is_block)):
            break
        if not directs and not text.startswith(starts):
            break
        below = above
        if directs:
            top = above
            continue
        found.insert(0, above)
        if is_block:
            break
    while top != first and found and _is_empty(found[-1]):
        found.pop()  # Go's between text and directives
    return found, top


def _is_empty(comment: Node) -> bool:
    return (comment.text or b"").strip() == b"//"
