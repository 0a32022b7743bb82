"""What is said where the model said nothing of use: true, never empty, from names and types alone. Pure."""

from midfill.server.actions.answers import words_of
from midfill.server.actions.signature import Parameter
from midfill.server.actions.targets import Kind, Target


def summary(target: Target) -> str:
    words = " ".join(words_of(target.name)) or "function"
    if target.kind is Kind.CLASS:
        return f"A {words}."
    if target.is_constructor:
        return "Make a new instance."
    if target.name.startswith("__") and target.name.endswith("__"):
        return f"Implement `{target.name}`."
    return f"{words[0].upper()}{words[1:]}."


def parameter(one: Parameter, target: Target) -> str:
    words = " ".join(words_of(one.name)) or one.name
    kind = f", of type {one.type}" if _can_stand(one.type, target) else ""
    shown = len(one.default) <= 20 and _can_stand(one.default, target)
    default = f"; {one.default} if left out" if shown else ""
    if one.stars == "*":
        return f"Further {words} given by position{kind}."
    if one.stars == "**":
        return f"Further {words} given by name{kind}."
    return f"The {words} to work with{kind}{default}."


def result(target: Target) -> str:
    kind = f" of type {target.return_type}" if _can_stand(target.return_type, target) else ""
    return f"Each result in turn{kind}." if target.yields else f"The result{kind}."


def raised(name: str) -> str:
    return "Raised explicitly here."


def _can_stand(code: str, target: Target) -> bool:
    """Whether there is any, and a comment can hold it: `*/` ends one everywhere but in Python."""
    return bool(code) and (target.language == "python" or "*/" not in code)
