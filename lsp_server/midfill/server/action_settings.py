"""Settings of the code actions; `settings.py` takes them in with the rest."""

from dataclasses import dataclass

from midfill.server.context_settings import ContextSettings
from midfill.server.option import option


@dataclass(frozen=True, slots=True)
class ActionSettings(ContextSettings):
    docstring_style: str = option(
        "docstringStyle",
        "auto",
        "How a Python docstring names parameters. `auto`: as the others in the file do, else `google`.",
        str,
        choices=("auto", "google", "numpy", "rest"),
    )
    docstring_examples: str = option(
        "docstringExamples",
        "on",
        "Examples in the docstring of a Python function: calls, with what they returned in the sandbox. "
        "Only where running tests was allowed.",
        str,
        choices=("on", "off"),
    )
    safety_model: str = option(
        "safetyModel",
        "",
        "A model that classifies what code actions ask and what is answered, as Llama Guard does, named as "
        "`model` is. What it does not call safe is refused, and all of it where it cannot be asked. Empty: "
        "no filter. Completions have none.",
        str,
        restarts_model=True,
    )
    failing_tests: str = option(
        "failingTests",
        "list",
        "What becomes of generated tests that fail, since a bug may be why. `list`: they are told with "
        "their failures; `insert`: they are added too, commented out.",
        str,
        choices=("list", "insert"),
    )
    test_python: str = option(
        "testPython",
        "",
        "Python that runs generated tests. Empty: the workspace's `.venv`, else the server's own.",
        str,
    )
