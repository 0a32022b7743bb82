"""The extension's package.json: what the compiler and VS Code do not check, and a user would find out."""

import json
import re
from pathlib import Path

EXTENSION = Path(__file__).resolve().parents[2] / "editors" / "vscode"
PACKAGE = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
CONTRIBUTED = PACKAGE["contributes"]
LOCK = json.loads((EXTENSION / "package-lock.json").read_text(encoding="utf-8"))["packages"]
COMMANDS = {each["command"] for each in CONTRIBUTED["commands"]}
OTHERS = ("workbench.", "editor.")
"""Commands of VS Code itself begin so."""


def sources() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(EXTENSION.glob("src/*.ts")))


def test_every_command_is_in_the_palette_and_does_something():
    assert all(each["title"] and each["category"] == "Midfill" for each in CONTRIBUTED["commands"])
    assert "commandPalette" not in CONTRIBUTED.get("menus", {}), "nothing is hidden from the keyboard"
    listed = (EXTENSION / "src" / "commands.ts").read_text(encoding="utf-8")
    listed = listed.split("const commands: Record<string, () => unknown> = {")[1].split("\n  }\n")[0]
    registered = re.findall(r"^    (\w+)[,:]", listed, re.MULTILINE)
    assert {f"midfill.ui.{name}" for name in registered} == COMMANDS


def test_every_command_that_something_points_to_is_there():
    steps = [step for tour in CONTRIBUTED["walkthroughs"] for step in tour["steps"]]
    pointed = re.findall(r"\(command:([\w.]+)\)", "\n".join(step["description"] for step in steps))
    pointed += [each["command"] for each in CONTRIBUTED["keybindings"]]
    pointed += re.findall(r"'(midfill\.ui\.\w+)'", sources())
    assert [
        command for command in pointed if not command.startswith(OTHERS) and command not in COMMANDS
    ] == []
    assert [step["id"] for step in steps if not (EXTENSION / step["media"]["markdown"]).exists()] == []


def test_keys_are_taken_only_where_there_is_something_for_them():
    conditions = {each["command"]: each["when"] for each in CONTRIBUTED["keybindings"]}
    taken = conditions.pop("editor.action.inlineSuggest.acceptNextLine")
    assert "inlineSuggestionVisible" in taken
    assert "!accessibilityModeEnabled" in taken, "where Ctrl+Down reads the next line to somebody"
    assert all("editorTextFocus" in when for when in conditions.values())


def test_the_oldest_vs_code_is_the_one_that_the_code_was_checked_against():
    least = PACKAGE["engines"]["vscode"].removeprefix("^")
    assert LOCK["node_modules/@types/vscode"]["version"] == least
    wanted = LOCK["node_modules/vscode-languageclient"]["engines"]["vscode"].removeprefix("^")
    assert tuple(map(int, wanted.split("."))) <= tuple(map(int, least.split(".")))


def test_in_restricted_mode_no_workspace_names_what_is_run():
    settings = {
        name: value for part in CONTRIBUTED["configuration"] for name, value in part["properties"].items()
    }
    restricted = PACKAGE["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert restricted == [name for name in restricted if name in settings]
    named = ("server.path", "model", "instructModel", "safetyModel", "testPython")
    assert {f"midfill.{name}" for name in named} <= set(restricted)
