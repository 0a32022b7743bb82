"""Our file in Neovim's configuration: what it says, and whether somebody has changed it since. Pure.

It begins with a comment of ours and a digest of the lines below: what the user makes of those is theirs.
"""

import hashlib

BEGIN = "-- Written by `midfill editor neovim --write`; `--remove` deletes this file."
_AS_WRITTEN = "-- Lines as written: "
_DIGITS = 16


def marked(lua: str) -> str:
    """The file that holds these lines."""
    return f"{BEGIN}\n{_AS_WRITTEN}{_digest(lua)}\n{lua}"


def is_ours(text: str) -> bool:
    return text.startswith(BEGIN)


def is_as_written(text: str, lua: str) -> bool:
    """Nobody has changed this file of ours. `lua`: the lines that would be written today, for files that
    have no digest."""
    _, _, below = text.replace("\r\n", "\n").partition("\n")
    first, _, lines = below.partition("\n")
    return first == f"{_AS_WRITTEN}{_digest(lines)}" or below == lua


def _digest(lua: str) -> str:
    return hashlib.sha256(lua.encode()).hexdigest()[:_DIGITS]
