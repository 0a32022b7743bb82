"""Settings of a running Neovim: changed from Lua, from the command line, and by `setup` again."""

import pytest

from tests.editors.nvim import NvimSession

pytestmark = pytest.mark.editor

SOURCE = "def f():\n\n"
ID = "return vim.lsp.get_clients({ name = 'midfill' })[1].id"


def suggested(nvim: NvimSession, text: str) -> None:
    nvim.press("<Esc>2G0C    return ")
    nvim.wait_for(f"{text} is suggested", lambda: (ghost := nvim.ghost()) and ghost.text == text)


@pytest.mark.parametrize(
    "change",
    [
        "lua require('midfill').configure({ scriptedText = 'gamma' })",
        "lua require('midfill').setup({ settings = { scriptedText = 'gamma' } })",
    ],
)
def test_changed_they_reach_the_server_without_a_restart_and_last_beyond_one(start_any_nvim, change):
    with start_any_nvim(SOURCE, settings={"scriptedText": "a + b"}) as nvim:
        nvim.wait_until_ready()
        suggested(nvim, "a + b")
        first = nvim.lua(ID)
        nvim.press("<Esc>")
        nvim.api.command(change)
        suggested(nvim, "gamma")
        assert nvim.lua(ID) == first
        nvim.press("<Esc>")
        nvim.lua("vim.g.midfill_status = nil")
        nvim.api.command("MidfillRestart")
        nvim.wait_until_ready()
        suggested(nvim, "gamma")


def test_a_list_that_is_emptied_is_empty(start_any_nvim):
    with start_any_nvim(SOURCE, settings={"scriptedText": "a + b", "languages": ["lua"]}) as nvim:
        nvim.wait_until_ready()
        nvim.api.command("MidfillSet languages []")
        suggested(nvim, "a + b")


def test_the_command_knows_the_settings_and_says_what_is_set(start_any_nvim):
    with start_any_nvim(SOURCE) as nvim:
        nvim.wait_until_ready()
        assert nvim.lua("return vim.fn.getcompletion('MidfillSet deb', 'cmdline')") == ["debounceMs"]
        nvim.api.command("MidfillSet debounceMs auto")
        nvim.api.command("MidfillSet maxNewTokens 20")
        for name, said in [("debounceMs", '"auto"'), ("maxNewTokens", "20"), ("temperature", "0")]:
            shown = "return vim.api.nvim_exec2('MidfillSet ' .. ..., { output = true }).output"
            assert nvim.lua(shown, name) == f"{name} = {said}"
        nvim.press(":MidfillSet debounce 20<CR>")
        nvim.wait_for("a message", lambda: 'no setting "debounce"' in nvim.messages())
