"""How long typing must rest before the model is asked. Pure."""

from midfill.server.completion.cursor import Trigger
from midfill.server.settings import Settings

AUTO_DELAY_S = 0.075
"""Cody waits 75 ms for its cloud and found longer waits cost more than they save."""


def delay_s(settings: Settings, trigger: Trigger) -> float:
    """Seconds from the request to the model. An explicit request never waits."""
    if trigger is Trigger.INVOKED:
        return 0.0
    if isinstance(settings.debounce_ms, str):
        return AUTO_DELAY_S
    return settings.debounce_ms / 1000
