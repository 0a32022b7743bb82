"""The switches of `context/`: what of other files the model is shown.

Each is off until `make bench-context` has shown that the default model writes no fewer exact lines with it.
"""

from dataclasses import dataclass

from midfill.server.hidden_settings import HiddenSettings
from midfill.server.option import option


@dataclass(frozen=True, slots=True)
class ContextSettings(HiddenSettings):
    context_definitions: str = option(
        "contextDefinitions",
        "off",
        "Show the model what imported names near the cursor mean: signatures and outlines from other files "
        "of the workspace.",
        str,
        choices=("on", "off"),
    )
    context_similar: str = option(
        "contextSimilar",
        "off",
        "Show the model stretches of open and recent files that read like the text at the cursor.",
        str,
        choices=("on", "off"),
    )
    context_edits: str = option(
        "contextEdits",
        "off",
        "Show the model what was edited lately elsewhere.",
        str,
        choices=("on", "off"),
    )
