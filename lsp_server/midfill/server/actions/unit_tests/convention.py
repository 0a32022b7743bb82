"""How this project writes its tests: with what, in which file, by which name. Pure: it sees paths
(relative to the workspace, with `/`) and the text of the few files that it asks for.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
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
    there = [found for found in tests if PurePosixPath(found).name in (front_name, behind_name)]
    if there:
        nearest = max(there, key=lambda found: (_alike(PurePosixPath(found).parent, file.parent), found))
        return Convention(framework, nearest, True)
    folders = [PurePosixPath(found).parent for found in tests]
    beside = [folder for folder in folders if not _test_folder(folder)]
    if len(beside) > len(folders) - len(beside):
        return _at(framework, file.with_name(name), files)
    roots = sorted({found for folder in folders if (found := _test_folder(folder))}, key=len)
    named = [f for f in ("tests", "test") if any(found.startswith(f"{f}/") for found in files)]
    root = PurePosixPath(roots[0] if roots else (named or ["tests"])[0])
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
        if part in ("tests", "test"):
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


def _alike(one: PurePosixPath, other: PurePosixPath) -> int:
    """How many of their last folders are the same."""
    count = 0
    for a, b in zip(reversed(one.parts), reversed(other.parts), strict=False):
        if a != b:
            break
        count += 1
    return count


def _script(file: PurePosixPath, files: Collection[str], read: Read) -> Convention:
    framework = _runner(file, files, read)
    ending = file.suffix
    tests = [PurePosixPath(f) for f in sorted(files) if re.search(r"\.(test|spec)\.[cm]?[jt]sx?$", f)]
    spec = sum(".spec." in test.name for test in tests)
    word = "spec" if spec > len(tests) - spec else "test"
    mine = [test for test in tests if test.name in (f"{file.stem}.{w}{ending}" for w in ("test", "spec"))]
    if mine:
        nearest = max(mine, key=lambda test: _alike(test.parent, file.parent))
        return Convention(framework, nearest.as_posix(), True)
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
