"""The switches of `context/`: what of other files the model is shown.

On is what `make bench-context` shows the default model to gain from. With definitions and edits it writes
as many exact lines and less alike ones; larger models may be better at using them.
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
        "on",
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
