"""What a text imports, by its import lines alone: they read the same in code that is half written. Pure.

Knows no files: `resolve.py` finds them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

WHOLE = ""
"""For a name that stands for the module itself."""
ALL = "*"
"""For everything that the module defines."""
HEAD_CHARS = 100_000
"""Of a text: imports further down are not looked for."""


@dataclass(frozen=True, slots=True)
class Import:
    module: str
    """As the text has it: `a.b`, `./a`, `crate::a`, `a.h`."""
    names: Mapping[str, str]
    """What is called how here → what it is called there, WHOLE or ALL."""


def imports(language: str, text: str) -> list[Import]:
    """The imports of `text`, in order; none in languages that nobody here knows."""
    read = READERS.get(language)
    return list(read(text[:HEAD_CHARS])) if read else []


PY_FROM = re.compile(r"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n(]+)", re.MULTILINE)
PY_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)", re.MULTILINE)
PY_COMMENT = re.compile(r"#[^\n]*")


def _python(text: str) -> Iterator[Import]:
    for module, names in PY_FROM.findall(text):
        yield Import(module, _renamed(PY_COMMENT.sub("", names).strip("() \t\n"), r"\s+as\s+"))
    for line in PY_IMPORT.findall(text):
        for module, alias in _pairs(line, r"\s+as\s+"):
            yield Import(module, {alias.rpartition(".")[2]: WHOLE})


JS_IMPORT = re.compile(r"\b(?:import|export)\s+(?:type\s+)?([^'\";]*?)\s*from\s*['\"]([^'\"\n]+)['\"]")
JS_REQUIRE = re.compile(
    r"\b(?:const|let|var)\s+(\{[^}]*\}|[\w$]+)\s*=\s*(?:await\s+import|require)\(\s*['\"]([^'\"\n]+)['\"]"
)
JS_BRACES = re.compile(r"\{([^}]*)\}")


def _javascript(text: str) -> Iterator[Import]:
    for clause, module in JS_IMPORT.findall(text):
        names: dict[str, str] = {}
        for braces in JS_BRACES.findall(clause):
            names |= _renamed(braces.replace("type ", ""), r"\s+as\s+")
        for part in JS_BRACES.sub("", clause).split(","):
            star, _, alias = part.strip().partition(" as ")
            if alias:
                names[alias.strip()] = WHOLE
            elif star:
                names[star] = ALL if star == "*" else star
        yield Import(module, names)
    for clause, module in JS_REQUIRE.findall(text):
        braces = clause.startswith("{")
        yield Import(module, _renamed(clause.strip("{}"), r"\s*:\s*") if braces else {clause: WHOLE})


JAVA_IMPORT = re.compile(r"^[ \t]*import\s+(?:static\s+)?([\w.]+?)(\.\*)?\s*;", re.MULTILINE)


def _java(text: str) -> Iterator[Import]:
    for module, star in JAVA_IMPORT.findall(text):
        last = module.rpartition(".")[2]
        yield Import(module, {ALL: ALL} if star else {last: last})
    yield Import(".", {ALL: ALL})  # the same package


GO_IMPORT = re.compile(r"^import\s+(?:\(([^)]*)\)|([^\n(]+))", re.MULTILINE)
GO_SPEC = re.compile(r"(?:([\w.]+)\s+)?\"([^\"\n]+)\"")


def _go(text: str) -> Iterator[Import]:
    for block, line in GO_IMPORT.findall(text):
        for alias, module in GO_SPEC.findall(block or line):
            yield Import(module, {alias or module.rpartition("/")[2]: WHOLE})
    yield Import(".", {ALL: ALL})  # the same package


RUST_USE = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?\s+)?use\s+([^;]+);", re.MULTILINE)
RUST_MOD = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;", re.MULTILINE)
RUST_GROUP = re.compile(r"([\w:]*?)(?:::)?\{(.*)\}", re.DOTALL)


def _rust(text: str) -> Iterator[Import]:
    for name in RUST_MOD.findall(text):
        yield Import(f"self::{name}", {name: WHOLE})
    for use in RUST_USE.findall(text):
        yield from _rust_tree("", use.strip())


def _rust_tree(above: str, tree: str) -> Iterator[Import]:
    group = RUST_GROUP.fullmatch(tree)
    if group:
        inner = f"{above}::{group[1]}" if above and group[1] else above or group[1]
        for part in _split_outside(group[2]):
            yield from _rust_tree(inner, part)
        return
    ((path, alias),) = _pairs(tree, r"\s+as\s+") or [("", "")]
    path = f"{above}::{path}" if above else path
    module, _, name = path.rpartition("::")
    if name == "self":
        yield Import(module, {module.rpartition("::")[2]: WHOLE})
    elif name:
        yield Import(module, {ALL if name == "*" else alias.rpartition("::")[2]: name})


def _split_outside(text: str) -> list[str]:
    """Split at commas outside of braces."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]


C_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]+\"([^\"\n]+)\"", re.MULTILINE)


def _c(text: str) -> Iterator[Import]:
    for name in C_INCLUDE.findall(text):
        yield Import(name, {ALL: ALL})


READERS: Mapping[str, Callable[[str], Iterator[Import]]] = {
    "python": _python,
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _javascript),
    "java": _java,
    "go": _go,
    "rust": _rust,
    **dict.fromkeys(("c", "cpp", "cuda-cpp"), _c),
}
"""By LSP language identifier."""


def _pairs(text: str, renames: str) -> list[tuple[str, str]]:
    """(there, here) of each name in a list with commas."""
    found = []
    for part in text.split(","):
        there, *here = re.split(renames, part.strip(), maxsplit=1)
        if there.strip():
            found.append((there.strip(), (here[0] if here else there).strip()))
    return found


def _renamed(text: str, renames: str) -> dict[str, str]:
    return {here: there for there, here in _pairs(text, renames)}
