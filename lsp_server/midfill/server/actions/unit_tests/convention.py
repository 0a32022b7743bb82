"""How this project writes its tests: with what, in which file, by which name. Pure: it sees paths
(relative to the workspace, with `/`) and the text of the few files that it asks for.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath

Read = Callable[[str], str]
PYTHON_SIGNS = ("pyproject.toml", "setup.cfg", "tox.ini", "requirements-dev.txt", "requirements.txt")
PYTEST_FILES = ("pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py")
LOOKED_AT = 20
"""Test files that are read to see how they are written."""
SCRIPTS = {
    "javascript": "js",
    "javascriptreact": "jsx",
    "typescript": "ts",
    "typescriptreact": "tsx",
}
RUNNERS = ("vitest", "jest", "mocha")
TEST_FOLDERS = ("tests", "test")
ASIDE = frozenset({*TEST_FOLDERS, "__tests__", "spec", "src", "unit"})
"""Folders that are not named after what lies in them."""


@dataclass(frozen=True, slots=True)
class Convention:
    framework: str
    path: str
    """The test file, relative to the workspace."""
    exists: bool


def convention_for(language: str, path: str, files: Collection[str], read: Read) -> Convention | None:
    """Where and how tests of the file `path` are written; None: this is not known of `language`."""
    file = PurePosixPath(path)
    match language:
        case "python":
            return _python(file, files, read)
        case "javascript" | "javascriptreact" | "typescript" | "typescriptreact":
            return _script(file, files, read)
        case "go":
            return _at("go", file.with_name(f"{file.stem}_test.go"), files)
        case "java":
            return _java(file, files, read)
        case "rust":
            return Convention("cargo", path, True)
    return None


def _at(framework: str, path: PurePosixPath, files: Collection[str]) -> Convention:
    return Convention(framework, path.as_posix(), path.as_posix() in files)


def _python(file: PurePosixPath, files: Collection[str], read: Read) -> Convention:
    tests = sorted(found for found in files if _is_python_test(PurePosixPath(found).name))
    framework = _python_framework(tests, files, read)
    behind = sum(PurePosixPath(found).stem.endswith("_test") for found in tests)
    front_name, behind_name = f"test_{file.stem}.py", f"{file.stem}_test.py"
    name = behind_name if behind > len(tests) - behind else front_name
    there = [PurePosixPath(found) for found in tests]
    if mine := _nearest([test for test in there if test.name in (front_name, behind_name)], file, files):
        return Convention(framework, mine, True)
    folders = [test.parent for test in there]
    beside = [folder for folder in folders if not _test_folder(folder)]
    if len(beside) > len(folders) - len(beside):
        return _at(framework, file.with_name(name), files)
    roots = sorted({found for folder in folders if (found := _test_folder(folder))}, key=len)
    root = _root_for(file, [PurePosixPath(root) for root in roots], files)
    mirrored = _mirrored(root, file, folders, files)
    return _at(framework, root / mirrored / name, files)


def _python_framework(tests: Iterable[str], files: Collection[str], read: Read) -> str:
    if any(name in files for name in PYTEST_FILES):
        return "pytest"
    if any("pytest" in read(name) for name in PYTHON_SIGNS if name in files):
        return "pytest"
    texts = [read(found) for found in list(tests)[:LOOKED_AT]]
    old = sum("unittest.TestCase" in text or "(TestCase)" in text for text in texts)
    return "unittest" if old > len(texts) / 2 else "pytest"


def _is_python_test(name: str) -> bool:
    return bool(re.fullmatch(r"test_\w+\.py|\w+_test\.py", name))


def _test_folder(folder: PurePosixPath) -> str:
    """The outermost folder around that is called tests; empty: none is."""
    for count, part in enumerate(folder.parts, 1):
        if part in TEST_FOLDERS:
            return "/".join(folder.parts[:count])
    return ""


def _mirrored(
    root: PurePosixPath, file: PurePosixPath, folders: Iterable[PurePosixPath], files: Collection[str]
) -> PurePosixPath:
    """The folder below `root` for a test of `file`, where tests lie as the code does: the longest end of
    the file's own folder that is there, else, if any is mirrored, without the package's first folder."""
    below = {folder.relative_to(root).as_posix() for folder in folders if folder.is_relative_to(root)}
    parts = tuple(part for part in file.parent.parts if part != "src")
    for start in range(len(parts)):
        if "/".join(parts[start:]) in below:
            return PurePosixPath(*parts[start:])
    code = {PurePosixPath(found).parent.as_posix() for found in files if found.endswith(".py")}
    mirrors = [f for f in below if f != "." and any(c.endswith(f"/{f}") for c in code if "test" not in c)]
    return PurePosixPath(*parts[1:]) if mirrors else PurePosixPath()


def _root_for(file: PurePosixPath, roots: Sequence[PurePosixPath], files: Collection[str]) -> PurePosixPath:
    """The nearest of the folders of tests beside `file` or above it, else one that is no package's own,
    else one of its own, as the other packages have."""
    if above := [root for root in roots if file.is_relative_to(root.parent)]:
        return max(above, key=lambda root: len(root.parts))
    code = [PurePosixPath(found) for found in files if found.endswith(".py")]
    code = [found for found in code if not _test_folder(found.parent)]
    shared = [root for root in roots if not any(found.is_relative_to(root.parent) for found in code)]
    if shared:
        return shared[0]
    if roots:
        return file.parent / roots[0].name
    named = [name for name in TEST_FOLDERS if any(found.startswith(f"{name}/") for found in files)]
    return PurePosixPath((named or TEST_FOLDERS)[0])


def _nearest(tests: Sequence[PurePosixPath], file: PurePosixPath, files: Collection[str]) -> str:
    """Of `tests`, which have the right name, the one that is about `file`; empty: each is nearer to another
    file of its name."""
    others = [PurePosixPath(found) for found in files if PurePosixPath(found).name == file.name]
    own = [test for test in tests if all(_alike(test, file) >= _alike(test, other) for other in others)]
    return max(own, key=lambda test: (_alike(test, file), test.as_posix())).as_posix() if own else ""


def _alike(test: PurePosixPath, file: PurePosixPath) -> int:
    """How many of their first and of their last folders are the same, those of tests aside."""
    folders = [[part for part in path.parent.parts if part not in ASIDE] for path in (test, file)]
    return sum(
        len(list(takewhile(lambda pair: pair[0] == pair[1], zip(*order, strict=False))))
        for order in (folders, [reversed(folder) for folder in folders])
    )


def _script(file: PurePosixPath, files: Collection[str], read: Read) -> Convention:
    framework = _runner(file, files, read)
    ending = file.suffix
    tests = [PurePosixPath(f) for f in sorted(files) if re.search(r"\.(test|spec)\.[cm]?[jt]sx?$", f)]
    spec = sum(".spec." in test.name for test in tests)
    word = "spec" if spec > len(tests) - spec else "test"
    names = [f"{file.stem}.{each}{ending}" for each in ("test", "spec")]
    if mine := _nearest([test for test in tests if test.name in names], file, files):
        return Convention(framework, mine, True)
    name = f"{file.stem}.{word}{ending}"
    folded = sum("__tests__" in test.parts for test in tests)
    apart = [test.parts[0] for test in tests if test.parts[0] in ("test", "tests", "spec")]
    if folded > len(tests) / 2:
        return _at(framework, file.parent / "__tests__" / name, files)
    if len(apart) > len(tests) / 2:
        return _at(framework, PurePosixPath(apart[0]) / name, files)
    return _at(framework, file.with_name(name), files)


def _runner(file: PurePosixPath, files: Collection[str], read: Read) -> str:
    """Of the nearest package.json that names one; jest where none does."""
    for folder in file.parents:
        path = (folder / "package.json").as_posix()
        if path not in files:
            continue
        try:
            package = json.loads(read(path))
            named = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
        except (ValueError, AttributeError, TypeError):
            continue
        found = next((runner for runner in RUNNERS if runner in named), "")
        if found:
            return found
    return "jest"


def _java(file: PurePosixPath, files: Collection[str], read: Read) -> Convention:
    path = file.as_posix().replace("src/main/java/", "src/test/java/")
    builds = ("pom.xml", "build.gradle", "build.gradle.kts")
    text = "".join(read(name) for name in builds if name in files)
    old = "junit:junit:4" in text or bool(re.search(r"<artifactId>junit</artifactId>", text))
    framework = "junit4" if old and "jupiter" not in text else "junit5"
    return _at(framework, PurePosixPath(path).with_name(f"{file.stem}Test.java"), files)
