"""Midfill in a Helix user's `languages.toml`: put in beside what is there, taken out again. Pure.

Languages that the user's file configures get one more server in their list; all others come in a block of
ours at the end, between two comments. What comes out is read again and compared: a file that does not say
what it must is never returned.
"""

import copy
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
import tomlkit.exceptions

NAME = "midfill"
BEGIN = "# midfill: begin (`midfill editor helix --remove` takes this out)"
END = "# midfill: end"
_BLOCK = re.compile(rf"\n?^{re.escape(BEGIN)}$.*?^{re.escape(END)}$\n?", re.MULTILINE | re.DOTALL)
_SERVERS = "language-servers"


class RefusedError(Exception):
    """One sentence: why the file is left as it is."""


def merge(text: str, servers: Mapping[str, Sequence[str]], command: Sequence[str]) -> str:
    """`text` with Midfill for every language in `servers`, started by `command`.

    `servers`: by language, the servers that Helix starts for it by itself, in its order. Merging again
    changes nothing. Raises RefusedError where `text` is no TOML, or not what Helix reads.
    """
    ended = text.replace("\r\n", "\n")
    own = _without_block(ended)
    document = _parsed(own)
    known = {entry["name"]: entry for entry in _languages(document)}
    for name in known.keys() & servers.keys():
        entry = known[name]
        if _SERVERS not in entry:
            entry[_SERVERS] = [*servers[name], NAME]
        elif NAME not in _names(entry[_SERVERS]):
            entry[_SERVERS].append(NAME)
    has_server = NAME in document.get("language-server", {})
    others = {name: servers[name] for name in servers if name not in known}
    merged = _with_block(tomlkit.dumps(document), _block(others, [] if has_server else command))
    _compare(merged, _expected(tomllib.loads(own), servers, command))
    return _with_ends(merged, text)


def remove(text: str) -> str:
    """`text` without our block, and without Midfill in any list. Raises RefusedError as `merge` does."""
    ended = text.replace("\r\n", "\n")
    own = _without_block(ended)
    document = _parsed(own)
    for entry in _languages(document):
        for at, name in reversed([*enumerate(_names(entry.get(_SERVERS, [])))]):
            if name == NAME:
                del entry[_SERVERS][at]  # that item alone: a new list would lose comments and lines
    left = tomlkit.dumps(document)
    expected = tomllib.loads(own)
    for entry in expected.get("language", []):
        if _SERVERS in entry:
            entry[_SERVERS] = [one for one in entry[_SERVERS] if _name(one) != NAME]
    _compare(left, expected)
    return _with_ends(left, text)


def has_block(text: str) -> bool:
    """`merge` wrote into it. Midfill in a list may be somebody's own."""
    return BEGIN in text


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        tomllib.loads(text)
        return tomlkit.parse(text)
    except (tomllib.TOMLDecodeError, tomlkit.exceptions.TOMLKitError) as error:
        raise RefusedError(f"it is not valid TOML: {error}") from error


def _languages(document: Any) -> list[Any]:
    """The `[[language]]` entries; each has a name and, if any, a list of servers."""
    found = document.get("language", [])
    if not isinstance(found, list):
        raise RefusedError("`language` in it is no list of tables")
    for entry in found:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise RefusedError("a `[[language]]` in it has no name")
        if not isinstance(entry.get(_SERVERS, []), list):
            raise RefusedError(f"`language-servers` of {entry['name']} is no list")
    return list(found)


def _name(server: Any) -> str:
    """Of an item of `language-servers`: a name, or a table with one."""
    return str(server.get("name", "")) if isinstance(server, dict) else str(server)


def _names(servers: Any) -> list[str]:
    return [_name(server) for server in servers]


def _without_block(text: str) -> str:
    if text.count(BEGIN) != text.count(END) or text.count(BEGIN) > 1:
        raise RefusedError("the comments around Midfill's own lines are not as they were written")
    return _BLOCK.sub("", text)


def _with_block(text: str, block: str) -> str:
    if not block:
        return text
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{BEGIN}\n{block}{END}\n"


def _block(servers: Mapping[str, Sequence[str]], command: Sequence[str]) -> str:
    parts = []
    if command:
        program, *arguments = command
        parts.append(
            f"[language-server.{NAME}]\ncommand = {_string(program)}\nargs = {_strings(arguments)}\n"
        )
    parts += [
        f'[[language]]\nname = "{name}"\nlanguage-servers = {_strings([*defaults, NAME])}\n'
        for name, defaults in servers.items()
    ]
    return "\n".join(parts)


def _string(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _strings(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_string, texts))}]"


def _expected(
    before: dict[str, Any], servers: Mapping[str, Sequence[str]], command: Sequence[str]
) -> dict[str, Any]:
    """What the merged file must say, computed on plain values."""
    after = copy.deepcopy(before)
    languages = after.setdefault("language", [])
    for entry in languages:
        if entry["name"] in servers:
            listed = entry.setdefault(_SERVERS, list(servers[entry["name"]]))
            if NAME not in _names(listed):
                listed.append(NAME)
    there = {entry["name"] for entry in languages}
    languages += [{"name": name, _SERVERS: [*servers[name], NAME]} for name in servers if name not in there]
    program, *arguments = command
    server = {"command": program, "args": arguments}
    after.setdefault("language-server", {}).setdefault(NAME, server)
    if not languages:
        del after["language"]
    return after


def _compare(text: str, expected: dict[str, Any]) -> None:
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"its layout leaves no place for Midfill ({error})") from error
    if said != expected:
        raise RefusedError("its layout leaves no safe place for Midfill")


def _with_ends(text: str, like: str) -> str:
    return text.replace("\n", "\r\n") if "\r\n" in like else text
