"""Writes what others need to know of the settings, from their one definition in `settings.py`:

    editors/vscode/package.json   `contributes.configuration`, and what an untrusted workspace may not set
    docs/settings.md              for people
    docs/settings.schema.json     for editors that check a `midfill` section
    editors/nvim/…/settings.lua   their types and defaults, for completion while one writes a configuration

`python -m tools.write_settings` (or `make fix`) writes them; a test fails where one is stale.
"""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midfill.server.option import Option
from midfill.server.settings import ATTRIBUTES, OPTIONS, RESTRICTED, SECTION, Settings

ROOT = Path(__file__).resolve().parents[1]
TYPES = {str: "string", int: "integer", float: "number", list: "array"}
GENERATED = "Completions"
"""Title of the part of `contributes.configuration` that is written; others are the extension's own."""
OWN_RESTRICTED = ("midfill.server.path",)
RELOADS = "The model is loaded again when this changes."
START = """# Settings

*Written by `make fix` from [`settings.py`](../lsp_server/midfill/server/settings.py): change it there.*

All are `midfill.NAME`. VS Code keeps them in its settings, Neovim in
`vim.lsp.config('midfill', { settings = { midfill = {} } })`, Helix under `config` in `languages.toml`;
other clients send them as `initializationOptions` or by `workspace/configuration`. Changes apply at once,
those marked ↻ by loading the model again. A value that cannot be used is reported once and its default
taken.

| setting | default | values | |
| --- | --- | --- | --- |
"""

LUA_WIDTH = 100
LUA_TYPES = {"array": "string[]"}
LUA_START = """-- Every setting and its default. Written by `make fix` from settings.py: change it there.

---@class midfill.Settings"""
LUA_DEFAULTS = """---What the server does where nothing is set.
---@type midfill.Settings
return {"""


def documented() -> dict[str, Option]:
    return {name: option for name, option in OPTIONS.items() if not option.hidden}


def default_of(name: str) -> Any:
    """As JSON has it."""
    value = getattr(Settings(), ATTRIBUTES[name])
    return list(value) if isinstance(value, tuple) else value


def schema_of(option: Option) -> dict[str, Any]:
    """What values `option` takes, as JSON Schema."""
    kinds = option.kind if isinstance(option.kind, tuple) else (option.kind,)
    if list in kinds:
        return {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
    limits = {"minimum": option.minimum, "maximum": option.maximum}
    numbers = [TYPES[kind] for kind in (float, int) if kind in kinds][:1]
    number = {
        "type": "".join(numbers),
        **{key: value for key, value in limits.items() if value is not None},
    }
    text: dict[str, Any] = {"type": "string", **({"enum": list(option.choices)} if option.choices else {})}
    if numbers and str in kinds:
        return {"anyOf": [text, number]}
    return number if numbers else text


def properties(describe: str) -> dict[str, dict[str, Any]]:
    """Schemas by setting; the meaning under the key `describe`."""
    return {
        name: {**schema_of(option), "default": default_of(name), describe: option.doc}
        for name, option in documented().items()
    }


def vscode_package(present: str) -> str:
    """package.json with its generated parts renewed, and everything else as it is in `present`."""
    package = json.loads(present)
    found = {}
    for name, field in properties("markdownDescription").items():
        reloads = OPTIONS[name].restarts_model
        field["scope"] = "machine-overridable" if reloads or name in RESTRICTED else "window"
        if reloads:
            field["markdownDescription"] += f" {RELOADS}"
        found[f"{SECTION}.{name}"] = field
    (part,) = [part for part in package["contributes"]["configuration"] if part["title"] == GENERATED]
    part["properties"] = found
    restricted = [*OWN_RESTRICTED, *(f"{SECTION}.{name}" for name in RESTRICTED)]
    package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = restricted
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def json_schema(present: str) -> str:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Midfill's settings, the section `midfill`",
        "type": "object",
        "properties": properties("description"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def markdown(present: str) -> str:
    rows = []
    for name, option in documented().items():
        mark = " ↻" if option.restarts_model else ""
        default = json.dumps(default_of(name))
        rows.append(f"| `{name}`{mark} | `{default}` | {_values(option)} | {option.doc} |")
    return START + "\n".join(rows) + "\n"


def _values(option: Option) -> str:
    schema = schema_of(option)
    return " or ".join(_value(part) for part in schema.get("anyOf", [schema]))


def _value(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    named = {"integer": "whole number", "array": "strings"}.get(schema["type"], schema["type"])
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None:
        return f"{named}, {low}–{high}"
    return named if low is None else f"{named}, {low} or more"


def lua(present: str) -> str:
    """LuaCATS types, and the defaults as a table."""
    fields, defaults = [], []
    for name, option in documented().items():
        doc = f"{option.doc} {RELOADS}" if option.restarts_model else option.doc
        default = _lua_value(default_of(name))
        said = textwrap.wrap(f"{doc} Default: `{default}`.", LUA_WIDTH, break_on_hyphens=False)
        fields += [f"---{line}" for line in said]
        fields.append(f"---@field {name}? {_lua_type(option)}")
        defaults.append(f"  {name} = {default},")
    return "\n".join([LUA_START, *fields, "", LUA_DEFAULTS, *defaults, "}", ""])


def _lua_type(option: Option) -> str:
    schema = schema_of(option)
    parts = schema.get("anyOf", [schema])
    return "|".join(
        "|".join(map(_lua_value, part["enum"]))
        if "enum" in part
        else LUA_TYPES.get(part["type"], part["type"])
        for part in parts
    )


def _lua_value(value: Any) -> str:
    if isinstance(value, list):
        return "{ " + ", ".join(map(_lua_value, value)) + " }" if value else "{}"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


WRITTEN: dict[str, Callable[[str], str]] = {
    "editors/vscode/package.json": vscode_package,
    "docs/settings.md": markdown,
    "docs/settings.schema.json": json_schema,
    "editors/nvim/lua/midfill/settings.lua": lua,
}
"""Path → what its text must be, given the present one."""


def stale() -> list[str]:
    """Paths whose text is not what the settings say."""
    return [path for path, write in WRITTEN.items() if write(_present(path)) != _present(path)]


def _present(path: str) -> str:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


def main() -> None:
    for path in stale():
        text = WRITTEN[path](_present(path))
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
        print(f"settings: wrote {path}")


if __name__ == "__main__":
    main()
