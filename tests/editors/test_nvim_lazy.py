"""The plugin as lazy.nvim loads it, by the lines that the README has for it."""

import pytest

from tests.editors.nvim import Ghost

pytestmark = pytest.mark.editor


@pytest.mark.parametrize("moment", ["start", "ft", "VeryLazy"])
def test_loaded_at_any_moment_it_starts_and_suggests(start_any_nvim, moment):
    with start_any_nvim("def f():\n\n", settings={"scriptedText": "a + b"}, lazy=moment) as nvim:
        nvim.wait_until_ready()
        nvim.press("2GA")
        nvim.type("    return ")
        assert nvim.wait_for_ghost() == Ghost(1, 11, "a + b")
        _, after = nvim.accept()
        assert after == ["def f():", "    return a + b"]
        assert nvim.lua("return #vim.lsp.get_clients({ name = 'midfill' })") == 1
        nvim.press("<Esc>")
        nvim.api.command("MidfillStatus")
        assert nvim.page("status")
