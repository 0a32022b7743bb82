"""Prompts as files beside their action, and the user's code as their data. Pure but for reading the file.

A prompt file has turns, each below a line `=== system`, `=== user` or `=== assistant`. `$names` are filled
in after it was taken apart, so nothing in the user's code can begin a turn or name a placeholder.
"""

import re
from functools import cache
from importlib.resources import files
from string import Template

from midfill.model import ChatMessage

TURN = re.compile(r"^=== (system|user|assistant)\n", re.MULTILINE)
CHARS_PER_TOKEN = 2.6
"""Of code, low: too much of it costs an action, too little a few lines of context."""


@cache
def read_prompt(package: str, name: str) -> tuple[tuple[str, Template], ...]:
    """The turns of `name` in `package`'s folder `prompts`: (role, text)."""
    text = (files(package) / "prompts" / name).read_text(encoding="utf-8")
    parts = TURN.split(text)
    assert not parts[0].strip(), "a prompt begins with a turn"
    return tuple(
        (role, Template(body.strip())) for role, body in zip(parts[1::2], parts[2::2], strict=True)
    )


def messages_of(package: str, file: str, /, **values: str) -> list[ChatMessage]:
    """The prompt with `values` in place. KeyError for one that is missing."""
    return [ChatMessage(role, body.substitute(values)) for role, body in read_prompt(package, file)]


def fenced(language: str, code: str) -> str:
    """`code` as a block that nothing in it can end."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code.rstrip()}\n{fence}"


def cut(code: str, room_tokens: int) -> str:
    """`code` in at most so many tokens: its beginning and its end, whole lines, and a mark between."""
    most = max(200, int(room_tokens * CHARS_PER_TOKEN))
    if len(code) <= most:
        return code
    lines = code.split("\n")
    lines = [line if len(line) <= most // 4 else line[: most // 4] + " …" for line in lines]
    head: list[str] = []
    tail: list[str] = []
    room = most
    while lines and room > len(lines[0]):
        head_turn = 2 * sum(map(len, tail)) >= sum(map(len, head))  # two thirds for the beginning
        line = lines.pop(0) if head_turn else lines.pop()
        room -= len(line) + 1
        (head if head_turn else tail).append(line)
    return "\n".join([*head, f"    … {len(lines)} lines left out …", *reversed(tail)])
