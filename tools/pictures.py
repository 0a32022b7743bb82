"""`make pictures`: docs/pictures, which the README shows, from real editors and the default model.

Drives the editors as the tests in tests/editors do. Somebody has to look at what came out before it is
committed: a model may write nonsense, and a picture must not hide it.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from midfill.model.store.local import CACHE_ENV, cache_root
from tests.editors.helix import HelixSession
from tests.editors.nvim import NvimSession
from tests.editors.terminal import Terminal
from tests.editors.vscode import VscodeSession
from tests.editors.vscode_program import CHROMIUM, VscodeProgram, chromium_program
from tools import build_vsix
from tools.scenes import HELIX, NEOVIM, VSCODE, Scene
from tools.terminal_svg import to_svg

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
SERVER = Path(sys.executable).parent
LOAD_S, ANSWER_S = 300.0, 60.0
"""The first load converts the weights; a slow machine writes a block in tens of seconds."""
COLUMNS, ROWS = 86, 18
WINDOW = {"width": 860, "height": 400}
BARE = {
    "workbench.activityBar.location": "hidden",
    "editor.minimap.enabled": False,
    "breadcrumbs.enabled": False,
    "workbench.colorTheme": "Default Dark Modern",
}
"""A window with little more than the text and the status bar."""


@contextmanager
def a_file(scene: Scene) -> Iterator[Path]:
    """The scene's file, in a folder of a name that may be read in the picture."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "shop", scene.file)
        file.parent.mkdir()
        file.write_text(scene.text, encoding="utf-8")
        yield file


def save_screen(terminal: Terminal, name: str) -> None:
    screen = "\n".join(terminal.colours().splitlines()[:ROWS])
    write(f"{name}.svg", to_svg(screen, COLUMNS, name).encode())


def write(name: str, content: bytes) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / name).write_bytes(content)
    print(f"docs/pictures/{name}: {len(content) / 1000:.0f} kB")


def neovim(program: str) -> None:
    looks = (
        "vim.o.termguicolors, vim.o.number = true, true"
        " vim.o.statusline = \" %t %= %{v:lua.require'midfill'.statusline()} \""
    )
    with (
        a_file(NEOVIM) as file,
        NvimSession(program, SERVER, file, {}, before=looks, in_terminal=True) as nvim,
    ):
        nvim.terminal.resize(COLUMNS, ROWS)
        nvim.wait_until_ready(LOAD_S)
        nvim.press(f"{NEOVIM.line}GA")
        nvim.type(NEOVIM.typed)
        nvim.wait_for_ghost(ANSWER_S)
        save_screen(nvim.terminal, "neovim")


def helix(program: str) -> None:
    with a_file(HELIX) as file:
        home = file.parent.parent / "home"
        home.mkdir()
        helix = HelixSession(program, SERVER, file, {}, home)
        with (home / "config/helix/config.toml").open("a") as configuration:
            configuration.write("true-color = true\n")
        with helix:
            helix.terminal.resize(COLUMNS, ROWS)
            helix.wait_until_ready(LOAD_S)
            helix.type(f"{HELIX.line}ggA{HELIX.typed}")
            helix.wait_for("the menu", lambda: helix.shows(" text\n"), ANSWER_S)
            helix.press("Tab")
            helix.wait_for("all of it beside the menu", lambda: helix.shows("\n Midfill"), ANSWER_S)
            save_screen(helix.terminal, "helix")


def vscode(program: str) -> None:
    build_vsix.get_packages()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=list(CHROMIUM))
        vsix = build_vsix.build(Path(folder))
        environment = {"PATH": f"{SERVER}:/usr/bin:/bin", CACHE_ENV: str(cache_root())}
        started = VscodeProgram(program, [vsix], Path(folder, "home"), {}, BARE, environment)
        with VscodeSession(browser, started) as window:
            window.page.set_viewport_size(WINDOW)  # type: ignore[arg-type]
            window.open(VSCODE.file, VSCODE.text)
            window.wait_for("the model", lambda: "ready" in window.status(), LOAD_S)
            window.press("Control+b")  # the side bar goes
            window.press("Control+Home", *["ArrowDown"] * (VSCODE.line - 1), "End")
            window.type(VSCODE.typed)
            window.wait_for("ghost text", window.ghost, ANSWER_S)
            write("vscode.png", window.page.screenshot())
        browser.close()


MAKERS: dict[str, tuple[str, Callable[[str], None]]] = {
    "neovim": ("nvim", neovim),
    "helix": ("hx", helix),
    "vscode": ("vscode-server", vscode),
}
"""Picture → the program that it needs on PATH, and who makes it."""


def main() -> None:
    for name in sys.argv[1:] or MAKERS:
        program, make = MAKERS[name]
        found = shutil.which(program)
        if found is None:
            print(f"pictures: no {program} on PATH, so {name}'s stays as it is")
        else:
            make(found)


if __name__ == "__main__":
    main()
