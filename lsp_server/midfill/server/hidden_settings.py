"""Settings for tests and measurements: taken as any other, and left out of the documentation."""

from dataclasses import dataclass

from midfill.server.option import option


@dataclass(frozen=True, slots=True)
class HiddenSettings:
    speculation: str = option(
        "speculation",
        "auto",
        "Whether guesses from the text at hand are verified several at a time. `off` is for measuring.",
        str,
        choices=("auto", "off"),
        restarts_model=True,
        hidden=True,
    )
    scripted_text: str = option(
        "scriptedText", "", "What the scripted backend writes.", str, restarts_model=True, hidden=True
    )
    scripted_answers: tuple[str, ...] = option(
        "scriptedAnswers",
        (),
        "What it answers in chats, in turn; the last one again and again. Empty: `scriptedText`.",
        list,
        restarts_model=True,
        hidden=True,
    )
    scripted_step_ms: float = option(
        "scriptedStepMs",
        5.0,
        "Milliseconds a forward pass of the scripted backend takes.",
        (int, float),
        minimum=0,
        maximum=60_000,
        restarts_model=True,
        hidden=True,
    )
    docstring_description: str = option(
        "docstringDescription",
        "auto",
        "For benchmarks: how the texts of a Python docstring are had. `auto`: as was measured better for "
        "the model; `asked`: never infilled.",
        str,
        choices=("auto", "asked"),
        hidden=True,
    )
