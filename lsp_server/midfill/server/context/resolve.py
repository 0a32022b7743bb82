"""From an import to files of the workspace that it may mean. Touches the disk by the `Probe` alone."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from midfill.server.context.imports import ALL, WHOLE, Import

MAX_SIBLINGS = 40
"""Files of a package that are looked into."""


class Probe(Protocol):
    """What finding files needs."""

    def exists(self, path: str) -> bool: ...

    def listing(self, folder: str) -> Sequence[str]: ...

    def text(self, path: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Here:
    """The importing file."""

    path: str
    root: str
    """The workspace folder that it lies in."""
    text: str

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)

    @property
    def above(self) -> list[str]:
        """Its folder and those around it, up to the workspace's, innermost first."""
        folders = [self.folder]
        while folders[-1] != self.root and folders[-1] != os.path.dirname(folders[-1]):
            folders.append(os.path.dirname(folders[-1]))
        return folders


Target = tuple[str, Mapping[str, str]]
"""A file, and the names that the import takes from it (`Import.names`)."""


def targets(language: str, found: Import, here: Here, probe: Probe, names: frozenset[str]) -> list[Target]:
    """The files that `found` may mean, without the importing one. `names`: what is looked for, where a
    whole package is at hand."""
    find = FINDERS.get(language)
    given = find(found, here, probe, names) if find else iter(())
    return [target for target in given if target[0] != here.path]


def _python(found: Import, here: Here, probe: Probe, names: frozenset[str]) -> Iterator[Target]:
    bare = found.module.lstrip(".")
    dots, parts = len(found.module) - len(bare), bare.split(".") if bare else []
    if dots:
        bases = here.above[dots - 1 : dots]
    else:
        bases = [*here.above, os.path.join(here.root, "src"), os.path.join(here.root, "lib")]
    for base in bases:
        package = os.path.join(base, *parts)
        rest = dict(found.names)
        for local, remote in found.names.items():
            module = os.path.join(package, f"{remote}.py")
            if remote not in (WHOLE, ALL) and probe.exists(module):
                yield module, {local: WHOLE}
                del rest[local]
        for file in (f"{package}.py", os.path.join(package, "__init__.py")):
            if (parts or dots) and rest and probe.exists(file):
                yield file, rest
                return
        if len(rest) < len(found.names):
            return


JS_ENDINGS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs")


def _javascript(found: Import, here: Here, probe: Probe, names: frozenset[str]) -> Iterator[Target]:
    if not found.module.startswith("."):
        return
    base = os.path.normpath(os.path.join(here.folder, found.module))
    stem = re.sub(r"\.[mc]?js$", "", base)  # TypeScript imports what it is compiled to
    tried = [base, *(stem + ending for ending in JS_ENDINGS)]
    tried += [os.path.join(base, "index" + ending) for ending in JS_ENDINGS]
    file = next((path for path in tried if probe.exists(path)), None)
    if file:
        yield file, found.names


JAVA_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)


def _java(found: Import, here: Here, probe: Probe, names: frozenset[str]) -> Iterator[Target]:
    package = JAVA_PACKAGE.search(here.text)
    depth = package[1].count(".") + 1 if package else 0
    source_root = here.above[depth] if depth < len(here.above) else here.root
    module, everything = found.module, ALL in found.names
    folder = here.folder if module == "." else os.path.join(source_root, *module.split("."))
    if everything:
        for name in sorted(names):
            file = os.path.join(folder, f"{name}.java")
            if probe.exists(file):
                yield file, {name: name}
    elif probe.exists(f"{folder}.java"):
        yield f"{folder}.java", found.names
    elif probe.exists(f"{os.path.dirname(folder)}.java"):  # a class in a class, or a static member
        yield f"{os.path.dirname(folder)}.java", found.names


GO_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)


def _go(found: Import, here: Here, probe: Probe, names: frozenset[str]) -> Iterator[Target]:
    folder = here.folder
    if found.module != ".":
        for base in here.above:
            module = GO_MODULE.search(probe.text(os.path.join(base, "go.mod")) or "")
            if module:
                inside = found.module.removeprefix(module[1])
                if inside == found.module or (inside and not inside.startswith("/")):
                    return
                folder = os.path.join(base, *inside.strip("/").split("/"))
                break
        else:
            return
    files = [name for name in probe.listing(folder) if name.endswith(".go")]
    for name in [name for name in files if not name.endswith("_test.go")][:MAX_SIBLINGS]:
        yield os.path.join(folder, name), found.names


def _rust(found: Import, here: Here, probe: Probe, names: frozenset[str]) -> Iterator[Target]:
    crate = next((base for base in here.above if probe.exists(os.path.join(base, "Cargo.toml"))), None)
    if crate is None:
        return
    source = os.path.join(crate, "src")
    own = os.path.relpath(os.path.splitext(here.path)[0], source).split(os.sep)
    own = own[:-1] if own[-1] in ("mod", "lib", "main") else own
    first, *rest = found.module.split("::")
    if first == "super":
        ups = 1
        while rest and rest[0] == "super":
            ups, rest = ups + 1, rest[1:]
        parts = own[:-ups] + rest
    elif first in ("crate", "self"):
        parts = rest if first == "crate" else own + rest
    else:  # a module beside this one, or another crate
        parts = [first, *rest] if found.module else []
    for local, remote in found.names.items():
        inner = [*parts, remote] if remote not in (WHOLE, ALL) else parts
        for path, takes in ((inner, {local: WHOLE}), (parts, {local: remote})):
            stem = os.path.join(source, *path)
            files = [f"{stem}.rs", os.path.join(stem, "mod.rs")] if path else []
            files += [os.path.join(source, "lib.rs")] if first == "crate" and not path else []
            file = next((file for file in files if probe.exists(file)), None)
            if file:
                yield file, takes
                break


def _c(found: Import, here: Here, probe: Probe, names: frozenset[str]) -> Iterator[Target]:
    bases = [*here.above, os.path.join(here.root, "include"), os.path.join(here.root, "src")]
    for base in bases:
        file = os.path.normpath(os.path.join(base, found.module))
        if probe.exists(file):
            yield file, found.names
            return


FINDERS: Mapping[str, Callable[[Import, Here, Probe, frozenset[str]], Iterator[Target]]] = {
    "python": _python,
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _javascript),
    "java": _java,
    "go": _go,
    "rust": _rust,
    **dict.fromkeys(("c", "cpp", "cuda-cpp"), _c),
}
"""By LSP language identifier."""
