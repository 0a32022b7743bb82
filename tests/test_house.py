"""Rules of the house that no single module can hold: arrows between the halves, sizes, names, prose."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE_ROOTS = ("lsp_server", "model")
FILE_LINES = 250
LONG_FILES: dict[str, str] = {}
"""Path → why it may be longer than FILE_LINES."""
ARCHITECTURE_LINES = 150
VAGUE_NAMES = re.compile(r"^(utils?|common|helpers?|misc|tools?)$")
# In two pieces, so that this file does not name what it forbids.
REGISTRY_HOSTS = tuple(
    f"{name}.{domain}"
    for name, domain in (
        ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("golang", "org"),
        ("deb.debian", "org"), ("download.pytorch", "org"), ("crates", "io"), ("ghcr", "io"),
    )
)  # fmt: skip
MACHINE_PATHS = tuple(
    f"/{name}" for name in ("work/main", "work/shared", "root/", "opt/wheels", "opt/pypi")
)


def project_files() -> list[Path]:
    """Every file that is, or would be, tracked; in an unpacked sdist simply every file."""
    if not (ROOT / ".git").exists():
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def shipped_modules() -> list[Path]:
    return [module for root in SOURCE_ROOTS for module in (ROOT / root).rglob("*.py")]


def ruff_codes(place: str, code: str) -> set[str]:
    """The rules that `code` would break if it stood in the file `place` (which need not exist)."""
    command = [sys.executable, "-m", "ruff", "check", "--output-format=concise", "--no-cache"]
    command += ["--stdin-filename", place, "-"]
    ended = subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    return set(re.findall(r"\b(TID\d+)\b", ended.stdout))


SERVER = "lsp_server/midfill/server/planted.py"
DEEP_SERVER = "lsp_server/midfill/server/completion/planted.py"
MODEL = "model/midfill/model/planted.py"
BACKEND = "model/midfill/model/backends/planted.py"
HF = "model/midfill/model/backends/hf/planted.py"
LEAN = "model/midfill/model/backends/lean/planted.py"


@pytest.mark.parametrize(
    ("place", "code", "rules"),
    [
        (SERVER, "import torch\n", {"TID251"}),
        (SERVER, "def f():\n    import transformers\n", {"TID251"}),
        (DEEP_SERVER, "from torch.nn import Linear\n", {"TID251"}),
        (DEEP_SERVER, "import tokenizers\n", {"TID251"}),
        (SERVER, "from . import text\n", {"TID252"}),
        (MODEL, "import pygls\n", {"TID251"}),
        (MODEL, "def f():\n    from lsprotocol import types\n", {"TID251"}),
        (MODEL, "from midfill.server import text\n", {"TID251"}),
        (MODEL, "import midfill.server.text\n", {"TID251"}),
        (MODEL, "import torch\n", {"TID253"}),
        (BACKEND, "import transformers\n", {"TID253"}),
        (MODEL, "from . import api\n", {"TID252"}),
        (HF, "from midfill.server import text\n", {"TID251"}),
        (HF, "from pygls import server\n", {"TID251"}),
        (LEAN, "import transformers\n", {"TID253"}),
        (LEAN, "from midfill.server import text\n", {"TID251"}),
        # What is meant to be allowed.
        (HF, "import torch\nimport transformers\n", set()),
        (LEAN, "import torch\n", set()),
        (MODEL, "def f():\n    import torch\n", set()),
        (SERVER, "from midfill.model.api import FimRequest\n", set()),
    ],
)
def test_lint_catches_a_planted_import_against_the_arrows(place, code, rules):
    assert ruff_codes(place, code) & {"TID251", "TID252", "TID253"} == rules


def test_no_folder_switches_the_import_rules_off():
    configured = {path.relative_to(ROOT).as_posix() for path in project_files() if path.name == "ruff.toml"}
    assert configured == {
        "ruff.toml",
        "lsp_server/ruff.toml",
        "model/ruff.toml",
        "model/midfill/model/backends/hf/ruff.toml",
        "model/midfill/model/backends/lean/ruff.toml",
    }
    silencing = re.compile(r"noqa: .*TID25|ruff: noqa")
    assert [module for module in shipped_modules() if silencing.search(module.read_text("utf-8"))] == []


def test_the_namespace_has_no_init_that_would_hide_one_half():
    assert [root for root in SOURCE_ROOTS if (ROOT / root / "midfill" / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("midfill.server.app", "torch transformers tokenizers"),
        ("midfill.server.cli", "torch transformers tokenizers"),
        ("midfill.model", "torch transformers tokenizers pygls lsprotocol midfill.server"),
    ],
)
def test_importing_leaves_the_heavy_libraries_alone(modules, absent):
    code = f"import sys, {modules}; print(*[m for m in {absent.split()!r} if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.split() == []


def test_files_stay_short_enough_to_read():
    long = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in project_files()
        if path.suffix in {".py", ".lua", ".ts", ".js"}
    }
    long = {name: lines for name, lines in long.items() if lines > FILE_LINES}
    assert long.keys() == LONG_FILES.keys(), "split it, or list it in LONG_FILES with the reason"


def test_modules_are_named_for_what_they_own():
    names = [(path, name) for path in shipped_modules() for name in (path.stem, path.parent.name)]
    assert [path for path, name in names if VAGUE_NAMES.match(name)] == []


def test_every_module_says_what_it_owns():
    texts = {module: module.read_text(encoding="utf-8") for module in shipped_modules()}
    assert [module for module, text in texts.items() if text.strip() and not text.startswith('"""')] == []


def test_no_file_names_a_package_registry_or_a_machine():
    found = []
    for path in project_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [(path.name, name) for name in (*REGISTRY_HOSTS, *MACHINE_PATHS) if name in text]
    assert found == []


def test_architecture_is_short_and_names_only_tests_that_exist():
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(architecture.splitlines()) <= ARCHITECTURE_LINES
    tests = list((ROOT / "tests").rglob("*.py"))
    known = {path.stem for path in tests}
    for path in tests:
        known |= set(re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")))
    mentioned = set(re.findall(r"\btest_\w+", architecture))
    assert mentioned, "every invariant names the test that holds it"
    assert mentioned - known == set()
