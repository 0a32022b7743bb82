"""The keys of `editors/nvim`, in every Neovim that it is for: parts of a suggestion, candidates."""

import pytest

from tests.editors.nvim import Ghost, NvimSession

pytestmark = pytest.mark.editor


def suggesting(nvim: NvimSession, text: str = "    return ") -> Ghost:
    """Types on line 2 until there is ghost text."""
    nvim.wait_until_ready()
    nvim.press("2GA")
    nvim.type(text)
    return nvim.wait_for_ghost()


def ghost_is(nvim: NvimSession, row: int, column: int, text: str) -> None:
    wanted = Ghost(row, column, text)
    nvim.wait_for(f"the ghost text is {wanted}", lambda: nvim.ghost() == wanted)


def test_all_of_it(start_any_nvim):
    with start_any_nvim("def f():\n\nend = 1\n", settings={"scriptedText": "a + b"}) as nvim:
        assert suggesting(nvim) == Ghost(1, 11, "a + b")
        _, after = nvim.accept()
        assert after == ["def f():", "    return a + b", "end = 1"]
        assert nvim.api.current.window.cursor == (2, 16)
        assert nvim.ghost() is None


def test_word_by_word_the_rest_stays_on_the_screen(start_any_nvim):
    with start_any_nvim("def f():\n\nend = 1\n", settings={"scriptedText": "alpha + beta"}) as nvim:
        suggesting(nvim)
        _, after = nvim.press_to_change("<M-w>")
        assert after[1] == "    return alpha"
        ghost_is(nvim, 1, 16, " + beta")
        _, after = nvim.press_to_change("<M-w>")
        assert after[1] == "    return alpha +"
        ghost_is(nvim, 1, 18, " beta")
        _, after = nvim.press_to_change("<M-w>")
        assert after == ["def f():", "    return alpha + beta", "end = 1"]


def test_three_words_at_once_by_keys_that_come_together(start_any_nvim):
    with start_any_nvim("def f():\n\nend = 1\n", settings={"scriptedText": "alpha + beta"}) as nvim:
        suggesting(nvim)
        nvim.press("<M-w><M-w><M-w>")
        nvim.wait_for("all words are there", lambda: nvim.lines()[1] == "    return alpha + beta")


def test_line_by_line(start_any_nvim):
    text = "if a:\n        return a\n    return b"
    with start_any_nvim("def f(a, b):\n\n\nend = 1\n", settings={"scriptedText": text}) as nvim:
        assert "\n" in suggesting(nvim, "    ").text, nvim.dump()
        _, after = nvim.press_to_change("<M-e>")
        assert after[1:] == ["    if a:", "", "end = 1"]
        _, after = nvim.press_to_change("<M-e>")
        assert after[1:] == ["    if a:", "        return a", "", "end = 1"]
        assert nvim.api.current.window.cursor == (3, len("        return a"))


def test_a_bracket_that_was_closed_already_comes_out_once_word_by_word(start_any_nvim):
    pairs = "vim.keymap.set('i', '(', '()<Left>')"
    with start_any_nvim("x = 1\n\ny = 2\n", settings={"scriptedText": "a, b):"}, extra_lua=pairs) as nvim:
        suggesting(nvim, "def add(")
        nvim.press("<M-w><M-w><M-w><M-w>")
        nvim.wait_for("the bracket is closed once", lambda: nvim.lines()[1] == "def add(a, b):")


def test_the_next_candidate_and_the_one_before_it(start_any_nvim):
    with start_any_nvim("def f():\n\nend = 1\n", settings={"maxNewTokens": 2}) as nvim:
        first = suggesting(nvim)
        nvim.press("<M-n>")
        second = nvim.wait_for("another one", lambda: (g := nvim.ghost()) and "(2/3)" in g.text and g)
        nvim.press("<M-p>")
        again = nvim.wait_for("the first again", lambda: (g := nvim.ghost()) and "(1/3)" in g.text and g)
        assert again.text == f"{first.text} (1/3)"
        assert not second.text.startswith(first.text)
        nvim.press("<M-n>")
        nvim.wait_for("the second again", lambda: nvim.ghost() == second)
        _, after = nvim.accept()
        assert after[1] == "    return " + second.text.removesuffix(" (2/3)")


def test_where_nothing_is_suggested_next_asks(start_any_nvim):
    with start_any_nvim("def f():\n    return 1\n", settings={"scriptedText": "0"}) as nvim:
        nvim.wait_until_ready()
        nvim.press("2G0fei")  # inside a word: no suggestion unasked
        nvim.press("<M-n>")
        nvim.wait_for("what was asked for", nvim.ghost)


def test_dismissed_it_is_gone_and_nothing_was_inserted(start_any_nvim):
    with start_any_nvim("def f():\n\nend = 1\n", settings={"scriptedText": "a + b"}) as nvim:
        suggesting(nvim)
        before = nvim.lines()
        nvim.press("<M-d>")
        nvim.wait_for("no ghost text", lambda: nvim.ghost() is None)
        assert nvim.lines() == before


def test_leaving_insert_mode_takes_the_rest_away(start_any_nvim):
    with start_any_nvim("def f():\n\nend = 1\n", settings={"scriptedText": "alpha + beta"}) as nvim:
        suggesting(nvim)
        nvim.press_to_change("<M-w>")
        nvim.press("<Esc>")
        nvim.wait_for("no ghost text", lambda: nvim.ghost() is None)


def test_typing_something_else_is_not_overwritten_by_what_was_shown(start_any_nvim):
    with start_any_nvim("def f():\n\nend = 1\n", settings={"scriptedText": "alpha"}) as nvim:
        suggesting(nvim)
        nvim.press("zz<M-l>!")
        nvim.wait_for("all keys arrived", lambda: nvim.lines()[1].endswith("!"))
        assert nvim.lines()[1] == "    return zz!", nvim.dump()


def test_typed_in_part_only_the_rest_is_inserted(start_any_nvim):
    with start_any_nvim("def f():\n\nend = 1\n", settings={"scriptedText": "alpha + beta"}) as nvim:
        suggesting(nvim)
        nvim.press("alp<M-l>")
        nvim.wait_for("the rest", lambda: nvim.lines()[1] == "    return alpha + beta")


@pytest.mark.parametrize(
    ("mapped", "typed"),
    [
        ("", "    x"),
        ("'other'", "otherx"),
        ("function() return 'ex' .. 'pr' end, { expr = true }", "exprx"),
        ("function() vim.api.nvim_put({ 'fn' }, 'c', false, true) end", "fnx"),
    ],
)
def test_tab_is_ours_only_where_something_is_suggested(start_any_nvim, mapped, typed):
    mapping = f"vim.keymap.set('i', '<Tab>', {mapped})" if mapped else ""
    tab = {"accept": "<Tab>"}
    settings = {"scriptedText": "a + b"}
    with start_any_nvim("def f():\n\n", before=mapping, keymaps=tab, settings=settings) as nvim:
        nvim.press("ggO<Tab>x")
        nvim.wait_for("Tab does what it did", lambda: nvim.lines()[0] == typed)
        nvim.press("<Esc>3GA")
        nvim.wait_until_ready()
        nvim.type("    return ")
        nvim.wait_for_ghost()
        _, after = nvim.press_to_change("<Tab>")
        assert after[2] == "    return a + b"


def test_without_keymaps_no_key_is_taken(start_any_nvim):
    with start_any_nvim("x\n", keymaps=False) as nvim:
        keys = "vim.tbl_map(function(m) return { m.lhs, m.desc or '' } end, vim.api.nvim_get_keymap('i'))"
        names = [key for key, description in nvim.lua(f"return {keys}") if "Midfill" in description]
        assert len(names) == 6
        assert all(name.startswith("<Plug>(midfill-") for name in names)


def test_wide_characters_before_the_cursor_move_nothing(start_any_nvim):
    with start_any_nvim("# 🙂 naïve\n\nend = 0\n", settings={"scriptedText": "a + b"}) as nvim:
        start = 'mood = "🙂é漢👩‍🚀" + '
        assert suggesting(nvim, start) == Ghost(1, len(start.encode()), "a + b")
        _, after = nvim.press_to_change("<M-w>")
        assert after[1] == f"{start}a"
        _, after = nvim.accept()
        assert after == ["# 🙂 naïve", f"{start}a + b", "end = 0"]


def test_a_file_with_crlf_keeps_every_line_end(start_any_nvim):
    text = "if a:\n        return a\n    return b"
    source = "def pick(a, b):\r\n\r\n\r\nprint(pick(1, 2))\r\n"
    with start_any_nvim(source, settings={"scriptedText": text}) as nvim:
        assert "\n" in suggesting(nvim, "    ").text
        _, after = nvim.accept()
        assert after[1:4] == ["    if a:", "        return a", "    return b"]
        nvim.press("<Esc>")
        nvim.api.command("write")
        assert nvim.file.read_bytes() == "".join(f"{line}\r\n" for line in after).encode()
