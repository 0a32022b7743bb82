"""What a test is called: after what stands in it, or what the model called it. Pure.

The comments that a small model writes above its assertions are copied from its examples, so a name says
what can be seen: which argument is empty, what comes back.
"""

import ast
import re

MAX_CHARS = 40
"""Of what follows the function's name: a test's name should fit a line."""
EMPTY: dict[type, str] = {list: "empty_list", str: "empty_string", dict: "empty_dict", tuple: "empty_tuple"}


def slug_of(title: str, name: str) -> str:
    """`_words_of_title`, or empty where they say nothing: "Empty list:" → `_empty_list`."""
    words = re.findall(r"[a-z0-9]+", title.lower().replace("'", ""))
    said = [word for word in words if word not in _said_already(name)]
    slug = ""
    for word in said:
        if len(slug) + len(word) >= MAX_CHARS:
            break
        slug += f"_{word}"
    return slug if re.search(r"[a-z]", slug) else ""


def seen_in(statement: ast.stmt, name: str) -> str:
    """`_of_empty_list`, `_is_true`, `_is_none`, `_of_zero` …: the most telling thing in an assertion that
    calls `name`; empty where nothing is."""
    call = next((node for node in ast.walk(statement) if _is_call(node, name)), None)
    values = [_value(argument) for argument in call.args] if isinstance(call, ast.Call) else []
    for value in values:
        if type(value) in EMPTY and not value:
            return f"_of_{EMPTY[type(value)]}"
        if value is None:
            return "_of_none"
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(values) == 1 and numbers:
        number = numbers[0]
        return "_of_zero" if number == 0 else "_of_negative" if number < 0 else _returned(statement)
    return _returned(statement)


def _returned(statement: ast.stmt) -> str:
    test = statement.test if isinstance(statement, ast.Assert) else None
    if not isinstance(test, ast.Compare):
        return ""
    value = _value(test.comparators[0])
    if value is None or isinstance(value, bool):
        return f"_is_{str(value).lower()}"
    if type(value) in EMPTY and not value:
        return f"_is_{EMPTY[type(value)]}"
    return ""


def _is_call(node: ast.AST, name: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    return getattr(function, "id", getattr(function, "attr", "")) == name


def _value(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ...


def _said_already(name: str) -> set[str]:
    """A title such as "Test case 3: first_even" repeats what the name says anyway."""
    return {"test", "tests", "case", "the", "a", "an", *re.findall(r"[a-z0-9]+", name.lower())}
