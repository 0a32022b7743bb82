"""How sure the model was of what it wrote, and has to be where nobody asked for a suggestion. Pure."""

import math

from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.reuse import Written

LOW = "low-confidence"
FITTED: dict[str, float] = {DEFAULT_MODEL: 0.70}
"""The least confidence by model; others are shown whatever they say. Measured on 202 suggestions by
`make bench-confidence`: under 0.70 fall 20 % of all and 4 % of the exact ones; under 0.75, a third and a
tenth. The latter is 0.70–0.79 when lines are drawn again, and costs a sixth on lines not fitted on."""


def confidence(written: Written) -> float | None:
    """How likely the model found each token, as a geometric mean, 0–1: the exponential of the mean
    log-probability. None where the backend does not say."""
    if not written.logprobs:
        return None
    return math.exp(sum(written.logprobs) / len(written.logprobs))


def least(setting: float | str, model: str) -> float:
    """The confidence under which nothing is shown unasked: the setting's, or what was fitted for `model`;
    0 for a model that nobody fitted."""
    return FITTED.get(model, 0.0) if isinstance(setting, str) else float(setting)


def doubt(written: Written, trigger: Trigger, least: float) -> str:
    """Why `written` is not shown, as a code; empty when it is. What was asked for by hand always is, and so
    is what a backend says nothing about.

    Beside being unsure: a line whose end was not seen. Of 5 whose room was used up none was exact.
    """
    found = confidence(written)
    if trigger is Trigger.INVOKED or found is None or not least:
        return ""
    broken_off = not written.ended and "\n" not in written.text
    return LOW if found < least or broken_off else ""
