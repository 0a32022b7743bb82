"""A single line that goes on, and a block that ends because control has left it."""

import pytest

from midfill.model.api import Scope, StopRules
from midfill.model.lines import depth, is_unfinished, leaves
from midfill.model.stops import STOP_RULES, StopScanner


def written(rules: StopRules, answer: str) -> tuple[str, list[str]]:
    """(what comes out, the rules that decided it), streamed character by character."""
    scanner, out = StopScanner(rules), ""
    for char in answer:
        out += scanner.feed(char)[0]
    return out + scanner.finish(), scanner.fired


def grown(answer: str, before: str = "    ", below: str = "", unclosed: int = 0, **more) -> str:
    rules = StopRules(Scope.SINGLE_LINE, before, below, may_grow=True, unclosed=unclosed, **more)
    return written(rules, answer)[0]


@pytest.mark.parametrize(
    ("answer", "below", "kept"),
    [
        ("for x in y:\n        f(x)\n    z()", "", "for x in y:\n        f(x)"),
        ("if (a) {\n      b();\n    }\n    c();", "", "if (a) {\n      b();\n    }"),
        ("if a:\n        b\n    else:\n        c\n    d", "", "if a:\n        b\n    else:\n        c"),
        ("f(\n        a,\n    )\n    g()", "", "f(\n        a,\n    )"),
        ("f(a,\n      b)\n    g()", "", "f(a,\n      b)"),
        ("x = 1\n    y = 2", "", "x = 1"),
        ("for x in y:\n        f(x)", "        g(x)", "for x in y:"),  # its body stands below already
        ("f(\n        a)", "        b)", "f("),
        ("f(a,\n    g()", "", "f(a,"),  # not indented below its bracket
        ("f(a,\n\n    g()", "", "f(a,"),
        ("f(a,\n      b)", "      b)", "f(a,"),
    ],
)
def test_a_line_that_opens_something_goes_on_until_that_is_closed(answer, below, kept):
    assert grown(answer, below=below) == kept


def test_a_bracket_that_was_open_at_the_cursor_is_closed_first():
    before, answer = "        x, task -> y.", "run(), z\n      )\n  );\n  g();"
    assert grown(answer, before, "}", unclosed=2) == "run(), z\n      )\n  );"
    assert grown(answer, before, "}", unclosed=1) == "run(), z\n      )"
    assert grown(answer, before, "}") == "run(), z"


@pytest.mark.parametrize(
    ("before", "answer", "kept"),
    [
        ("f(", "a)\ng()", "a)"),
        ("if x:", " return 1\ng()", " return 1"),
        ("f(", "a,\n  b)\ng()", "a,\n  b)"),
        ("x = {", "a: 1,\n  b: 2,\n}\ny", "a: 1,\n  b: 2,\n}"),
        ("def f(", "a):\n  g()\nh()", "a):\n  g()"),
        ("f(", "a => {\n  b();\n});\nc();", "a => {\n  b();\n});"),
        ("f(", "\n  a,\n)\ng()", "\n  a,\n)"),
    ],
)
def test_what_the_cursors_line_opened_may_be_closed_on_it(before, answer, kept):
    assert written(StopRules(Scope.BLOCK, before), answer)[0] == kept


def test_inside_a_line_nothing_grows_and_the_rule_can_be_switched_off():
    answer = "for x in y:\n        f(x)"
    assert written(StopRules(Scope.SINGLE_LINE, "    "), answer)[0] == "for x in y:"
    assert grown(answer, off=frozenset({"growth"})) == "for x in y:"


BLOCK = StopRules(Scope.BLOCK, "    ")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("a()\n    return b\n    c()", "a()\n    return b"),
        ("raise b\n    c()", "raise b"),
        ("return f(\n        a\n    )\n    c()", "return f(\n        a\n    )\n    c()"),
        ("return (a\n            + b)\n    return c\n    d", "return (a\n            + b)\n    return c"),
        ("return [x for x in y if x]\n    c()", "return [x for x in y if x]"),
        ("return a if b else c\n    d()", "return a if b else c"),
        ("return a if b\n    c()", "return a if b\n    c()"),  # Ruby's
        ("for x in y:\n        break\n    c()", "for x in y:\n        break\n    c()"),
        ("returned = 1\n    c()", "returned = 1\n    c()"),
        ("return a +\n    b", "return a +\n    b"),
    ],
)
def test_a_block_ends_behind_what_always_leaves_it(answer, kept):
    assert written(BLOCK, answer)[0] == kept


@pytest.mark.parametrize(
    "answer",
    [
        "for x in y:\n        return x\n        z\n    c()",  # dead in a branch only
        '"""\n    return value\n    of it\n    """\n    a()',
        "case 1:\n      return b\n    case 2:\n      c()",
        "return b\n    case 2:\n      c()",
        'x = """\n    return a"""\n    b()',
    ],
)
def test_a_block_goes_on_where_it_may_still_be_reached(answer):
    assert written(BLOCK, answer)[0] == answer


def test_the_header_on_the_cursors_line_is_no_line_of_its_block():
    rules = StopRules(Scope.BLOCK, "def f():")
    assert written(rules, "\n    return 1\n    g()")[0] == "\n    return 1"
    braces = StopRules(Scope.BLOCK, "function f() {")
    assert written(braces, "\n  return 1;\n}\ng();")[0] == "\n  return 1;\n}"


def test_text_inside_a_long_string_is_no_code():
    rules = StopRules(Scope.BLOCK, "    ")
    text = 'x = """\nreturn a\n\n\n\nb\n```\n"""\n    y'
    assert written(rules, text)[0] == text
    inside = StopRules(Scope.BLOCK, "    ", in_string=True)
    assert written(inside, "return the value\n    of it")[0] == "return the value\n    of it"
    assert written(inside, 'text\n    """\n    return 1\n    g()')[0] == 'text\n    """\n    return 1'


@pytest.mark.parametrize(
    ("rule", "rules", "answer"),
    [
        ("fence", StopRules(Scope.BLOCK, ""), "a\n```\nb"),
        ("next_line", StopRules(Scope.BLOCK, "", "return x"), "a\nreturn x"),
        ("leading_blanks", StopRules(Scope.SINGLE_LINE, ""), "\na"),
        ("growth", StopRules(Scope.SINGLE_LINE, "", may_grow=True), "f(\n  a)"),
        ("blank_lines", StopRules(Scope.BLOCK, ""), "a\n\n\nb"),
        ("same_lines", StopRules(Scope.BLOCK, ""), "a\na\na\na"),
        ("dedent", StopRules(Scope.BLOCK, "  "), "a\nb"),
        ("closed_block", StopRules(Scope.BLOCK, "f() {"), "\n  a\n}\n\n  b"),
        ("after_leaving", StopRules(Scope.BLOCK, ""), "return a\nb"),
        ("closed_line", StopRules(Scope.BLOCK, "f("), "a)\nb"),
    ],
)
def test_each_rule_says_that_it_fired_and_can_be_switched_off(rule, rules, answer):
    text, fired = written(rules, answer)
    assert rule in fired
    off = StopRules(rules.scope, rules.line_before, rules.next_line, rules.may_grow, off=frozenset({rule}))
    other, fired = written(off, answer)
    assert rule not in fired
    assert other != text


def test_every_rule_that_can_be_switched_off_is_tried_above():
    mark = test_each_rule_says_that_it_fired_and_can_be_switched_off.pytestmark[0]
    assert {rule for rule, _, _ in mark.args[1]} == set(STOP_RULES)


@pytest.mark.parametrize("marker", ["<|im_sep|>", "<|user|>", "<|fim_anything_new|>"])
def test_what_looks_like_a_marker_ends_the_answer_though_no_dialect_names_it(marker):
    assert written(StopRules(Scope.BLOCK, ""), f"a{marker}b") == ("a", ["marker"])


@pytest.mark.parametrize("code", ["a <| b", "f <|> g", "x <|y| z", "if a<b|c>d", "<|A|>"])
def test_operators_that_look_like_half_a_marker_are_code(code):
    assert written(StopRules(Scope.BLOCK, ""), code)[0] == code


def test_lines_tell_their_brackets_without_strings_and_comments():
    assert [depth(line) for line in ("f(", "f(')')", "a)  # (", '"(" + [', "}")] == [1, 0, -1, 1, -1]


def test_a_line_is_unfinished_when_a_sign_or_a_word_wants_more():
    assert all(map(is_unfinished, ("a.", "a =", "a +", "f(a,", "not")))
    assert not any(map(is_unfinished, ("i++", "i--", "a /* b */", "f()", "a;", "x  # so.", "return", "a[")))


def test_leaving_is_told_from_words_that_begin_alike():
    assert [leaves(line) for line in ("return", "  throw new E();", "returns = 1")] == [True, True, False]
    keys = (
        "break-inside: avoid;",
        "continue-on-error: true",
        "return: () => void;",
        "break,",
        "return = 1",
    )
    assert not any(map(leaves, keys))
    assert all(
        map(leaves, ("return -1", "return(x)", "break;", "return [1]", "raise", "throw;", "return .5"))
    )
