"""Tests in languages other than Python: written, and checked by their syntax alone. None of them is run.

What is said of `write_tests` holds: asks through a function it is given, writes no file.
"""

import os.path
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from midfill.server.actions.source import Source
from midfill.server.actions.targets import Kind, Target, targets_of
from midfill.server.actions.unit_tests import asking
from midfill.server.actions.unit_tests.convention import SCRIPTS, Convention, convention_for
from midfill.server.actions.unit_tests.offer import NOTHING, TestOffer, not_run
from midfill.server.actions.unit_tests.place import NoTests, Place, normal
from midfill.server.actions.unit_tests.snippets import insertions, tests_in
from midfill.server.actions.unit_tests.styles import STYLES
from midfill.server.actions.unit_tests.survey import Survey
from midfill.server.actions.unit_tests.write import Ask, Say

LANGUAGES = frozenset({*SCRIPTS, "go", "java", "rust"})
REASON = "only Python's are run"
PACKAGES = ("package_clause", "package_declaration")


async def write_unrun(
    place: Place,
    source: Source,
    target: Target,
    ask: Ask,
    say: Say,
    open_text: Callable[[Path], str | None],
) -> TestOffer:
    """Tests for `target` in `source`, the text of `place`. Raises NoTests, and what `ask` raises."""
    survey = Survey(place.root)
    convention = convention_for(source.language, place.relative, survey.around(place.relative), survey.read)
    assert convention is not None, "one of LANGUAGES"
    convention = replace(convention, exists=survey.has(convention.path))
    style, path = STYLES[convention.framework], place.root / convention.path
    open_text(path)  # whoever opens it may say no before the model is asked
    say("writing tests")
    name = f"{target.enclosing}.{target.name}" if target.enclosing else target.name
    request = asking.unrun(source.language, style, _shown(source, target), name)
    answer = await ask(request)
    text = open_text(path) or ""
    package = next((source.words(n) for n in source.tree.root_node.children if n.type in PACKAGES), "")
    there = re.search(r"^package \w+", text, re.MULTILINE)
    if there and there[0] != package and source.language == "go":  # its names would need the package's
        raise NoTests(f"nothing is added to {convention.path}: it is in {there[0]}")
    found = tests_in(answer, source.language, style, target.name, text)
    if not found:
        raise NoTests(NOTHING)
    lines = [line for pattern, line in style.imports if re.search(pattern, "\n".join(found))]
    if source.language in SCRIPTS:
        lines = _scripted(lines, source, target, convention, place)
    try:
        added = insertions(found, text, source.language, style, package, lines, PurePosixPath(path).stem)
    except ValueError as error:
        raise NoTests(f"nothing is added to {convention.path}: {error}") from error
    said = not_run(len(found), REASON)
    creates = not convention.exists
    return TestOffer(str(path), creates, said, before=text, insertions=added, with_failing=added)


def _shown(source: Source, target: Target) -> str:
    """The function, or the class around it: it says how an object is made."""
    around = [t for t in targets_of(source) if t.kind is Kind.CLASS and t.span[0] <= target.span[0]]
    around = [t for t in around if target.span[1] <= t.span[1]]
    return normal(source.text[slice(*(around[-1] if around else target).span)])


def _scripted(
    lines: list[str], source: Source, target: Target, convention: Convention, place: Place
) -> list[str]:
    """The imports as this module writes them, and what is tested among them."""
    name = re.escape(target.enclosing.partition(".")[0] or target.name)
    default = re.search(rf"\bexport\s+default\s+(?:async\s+|function\s+|class\s+)*{name}\b", source.text)
    file = PurePosixPath(os.path.relpath(place.path, (place.root / convention.path).parent))
    if source.language in ("typescript", "typescriptreact"):
        file = file.with_suffix("")
    shown = str(file) if str(file).startswith(".") else f"./{file}"
    lines = [*lines, f'import {name if default else f"{{ {name} }}"} from "{shown}";']
    if "exports" in source.text and not re.search(r"^\s*(?:export|import)\b", source.text, re.MULTILINE):
        lines = [re.sub(r"import (.+) from (.+);", r"const \1 = require(\2);", line) for line in lines]
    return lines
