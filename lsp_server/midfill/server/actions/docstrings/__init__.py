"""The action that writes a docstring: a frame of ours, sentences of the model's, examples that were run."""

from midfill.server.actions.docstrings.trying import Trials
from midfill.server.actions.docstrings.write import WriteDocstring

__all__ = ["Trials", "WriteDocstring"]
