"""Faults planted in a function: which, how many are tried, and that nothing else of the module changes."""

import ast
from difflib import ndiff

import pytest

from midfill.server.actions.unit_tests.mutants import mutants_of

CODE = '''@cache
def total(values, start=1):
    """Sum."""
    result = start
    for value in values:
        if value > 0 and value != 7:
            result += value
    return result


def other(x):
    return x + 1
'''
NO_BINDING = """def f(g):
    g(y := 1)
    def h():
        nonlocal y
        y += 1
    return h() + y
"""
SHAPES = {
    "a method, with tabs": ("class A:\n\tx = 1\n\n\tdef f(self):\n\t\treturn 1  # one\n\n\ty = 2\n", 4),
    "decorated": (
        "@a\n@b(1)\nclass A:\n    @c\n    @d(\n        2\n    )\n    def f(self):\n        x = 1\n",
        4,
    ),
    "asynchronous": ("async def f(x):\n    await x(1)\n    return 2\n", 1),
    "on one line": ("def f(): return 1\n", 1),
    "with semicolons": ("def f(): a = 1; b = 2; return a + b;\n", 1),
    "below a condition": ("try:\n    import a\nexcept ImportError:\n    def a(): return 'é'\n", 4),
    "windows lines": ("def f():\r\n    '''a\r\n    b'''\r\n    return '''c\r\n  d'''\r\n", 1),
    "old mac lines": ("def f():\r    return 1\r", 1),
    "many bytes a character": ("def ä(): ü = 'größe'; return ü + '🙂' * 2\n", 1),
    "lines in a string": (
        "class A:\n  def f(self):\n    '''a\n  b\n    '''\n    return f'''{1}\nx\n'''\n",
        2,
    ),
    "a form feed before it": ("\f\ndef f():\n    return 1\n", 2),
    "continued": ("\\\ndef f(): \\\n    return 1\n", 2),
    "no line end": ("def f(): return 1", 1),
}
BEFORE = "# comment\nx  =  'é'; y = [\n  1]\n\n"
AFTER = "# behind\ndef g( ): return  f'{x}'\n"


def bare(text: str) -> str:
    return ast.dump(ast.parse(text))


def test_five_faults_of_different_kinds_each_in_the_function_alone_always_the_same():
    mutants = mutants_of(CODE, 1)
    assert len(set(mutants)) == 5
    assert mutants == mutants_of(CODE, 1)
    original = ast.unparse(ast.parse(CODE))
    for mutant in mutants:
        assert ast.unparse(ast.parse(mutant)) != original
        assert mutant.endswith("\n\n\ndef other(x):\n    return x + 1\n")
        assert '"""Sum."""' in mutant
    changed = [
        next(line for line in ndiff(CODE.split("\n"), m.split("\n")) if line[0] == "+") for m in mutants
    ]
    assert [line.removeprefix("+").strip() for line in changed] == [
        "result += 0",
        "if value > 0 or value != 7:",
        "result -= value",
        "if value > 0 and value == 7:",
        "if value > 0 and value != 8:",
    ]


def test_a_function_in_which_nothing_can_be_wrong_has_no_mutants():
    assert mutants_of("def f():\n    pass\n", 1) == ()


@pytest.mark.parametrize(("text", "line"), SHAPES.values(), ids=SHAPES)
def test_the_rest_of_the_module_stays_as_it_was(text, line):
    end = "" if text.endswith(("\n", "\r")) else "\n"
    whole = BEFORE + text + end + AFTER
    found = mutants_of(whole, line + BEFORE.count("\n"))
    assert found
    assert len({bare(mutant) for mutant in (whole, *found)}) == 1 + len(found)
    for mutant in found:
        assert mutant.startswith(BEFORE)
        assert mutant.endswith(AFTER)
        function = mutant.removeprefix(BEFORE).removesuffix(AFTER)
        assert bare(function) in {bare(each) for each in mutants_of(text, line)}


def test_only_what_is_taken_is_written(monkeypatch):
    written = []
    unparse = ast.unparse
    monkeypatch.setattr(ast, "unparse", lambda node: written.append(node) or unparse(node))
    long = "def f(a):\n" + "    a += a * 2 > 3 and a or 4\n" * 50 + "    return a\n"
    assert len(mutants_of(long + "def g():\n    pass\n" * 1000, 1)) == 5
    assert len(written) == 5


def test_a_fault_that_changes_nothing_or_is_no_python_is_passed_over():
    assert mutants_of("def f(a):\n    b = None\n    a[b] = ...\n    return None\n", 1) == ()
    found = mutants_of(NO_BINDING, 1, count=99)
    assert len(found) == 6
    assert not [mutant for mutant in found if "    ...\n" in mutant]  # nothing would bind y


def test_between_two_faults_it_can_be_stopped():
    answers = iter([False, False, True])
    assert mutants_of(CODE, 1, stop=lambda: next(answers)) == mutants_of(CODE, 1)[:2]


def test_a_module_that_is_no_python_says_so():
    with pytest.raises(SyntaxError):
        mutants_of("def f(:\n", 1)
