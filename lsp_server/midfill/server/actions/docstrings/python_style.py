"""Python docstrings: which style a file uses, and a docstring in it. Pure.

Sources: the Google Python style guide (3.8), numpydoc's format, Sphinx' field lists.
"""

import re

from midfill.server.actions.docstrings.content import Content
from midfill.server.actions.docstrings.wrapping import wrapped

GOOGLE = re.compile(r"^\s*(?:Args|Arguments|Returns|Raises|Yields|Attributes):\s*$", re.M)
NUMPY = re.compile(r"^\s*(?:Parameters|Returns|Raises|Yields|Attributes)\s*\n\s*-{3,}\s*$", re.M)
REST = re.compile(r"^\s*:(?:param|returns?|raises?|rtype|type|ivar)\b[^:\n]*:", re.M)
TRIPLE = re.compile(r"^[ \t]*[rRuU]?(\"\"\"|''')", re.M)


def style_of(text: str, wanted: str = "auto") -> str:
    """`google`, `numpy` or `rest`: the one that `wanted` names, else the file's most frequent one."""
    if wanted != "auto":
        return wanted
    uses = {"google": GOOGLE, "numpy": NUMPY, "rest": REST}
    counts = {name: len(pattern.findall(text)) for name, pattern in uses.items()}
    return max(counts, key=lambda name: counts[name])  # the first of equals: google


def quotes_of(text: str) -> str:
    """The triple quotes that the file uses most."""
    found = TRIPLE.findall(text)
    return "'''" if 2 * found.count("'''") > len(found) else '"""'


def docstring(content: Content, style: str, quotes: str, width: int) -> list[str]:
    """The literal's lines without indentation. `width` is what there is to the right of it."""
    body = _body(content, style, width)
    raw = "r" if any("\\" in line for line in body) else ""
    body = [line.replace(quotes, quotes[0]) for line in body]
    head = wrapped(body[0], width, raw + quotes)
    head[1:] = [line.removeprefix(raw + quotes) for line in head[1:]]
    if len(body) == 1 and len(head) == 1 and len(head[0]) + len(quotes) <= width:
        end = " " if head[0].endswith(quotes[0]) else ""
        return [head[0] + end + quotes]
    return [*head, *body[1:], quotes]


def _body(content: Content, style: str, width: int) -> list[str]:
    write = {"google": _google, "numpy": _numpy, "rest": _rest}[style]
    details = ["", *wrapped(content.details, width)] if content.details else []
    return [content.summary, *details, *write(content, width)]


def _examples(content: Content, width: int) -> list[str]:
    """As doctest reads them; none that is too wide, since no line of one can be broken."""
    return [
        line
        for one in content.examples
        if len(one.call) + 4 <= width >= len(one.result)
        for line in (f">>> {one.call}", one.result)
    ]


def _google(content: Content, width: int) -> list[str]:
    sections: list[tuple[str, list[tuple[str, str]]]] = [
        ("Args", [(one.stars + one.name, said) for one, said in content.parameters]),
        ("Yields" if content.yields else "Returns", [("", content.result)] if content.result else []),
        ("Raises", list(content.raises)),
    ]
    lines: list[str] = []
    for title, entries in sections:
        if entries:
            lines += ["", f"{title}:"]
        for name, said in entries:
            lines += wrapped(f"{name}: {said}" if name else said, width, " " * 4, " " * (8 if name else 4))
    shown = _examples(content, width - 4)
    return [*lines, "", "Examples:", *[f"    {line}" for line in shown]] if shown else lines


def _numpy(content: Content, width: int) -> list[str]:
    entries: list[tuple[str, str, str]] = []
    for one, said in content.parameters:
        kind = one.type + (", optional" if one.default else "") if one.type else ""
        entries.append(("Parameters", f"{one.stars}{one.name}" + (f" : {kind}" if kind else ""), said))
    if content.result:
        entries.append(("Yields" if content.yields else "Returns", content.result_type, content.result))
    entries += [("Raises", name, said) for name, said in content.raises]
    lines: list[str] = []
    last = ""
    for title, head, said in entries:
        if title != last:
            lines += ["", title, "-" * len(title)]
            last = title
        lines += [head] * bool(head) + wrapped(said, width, "    " if head else "")
    shown = _examples(content, width)
    return [*lines, "", "Examples", "--------", *shown] if shown else lines


def _rest(content: Content, width: int) -> list[str]:
    fields = [
        (f":param {one.stars.replace('*', chr(92) + '*')}{one.name}:", said)
        for one, said in content.parameters
    ]
    if content.result:
        fields.append((":yields:" if content.yields else ":returns:", content.result))
    fields += [(f":raises {name}:", said) for name, said in content.raises]
    lines = [line for head, said in fields for line in wrapped(f"{head} {said}", width, "", "    ")]
    shown = _examples(content, width)
    return [""] * bool(shown) + shown + [""] * bool(lines) + lines
