"""The action that writes a docstring: a frame of ours, sentences of the model's."""

from midfill.server.actions.docstrings.write import WriteDocstring

__all__ = ["WriteDocstring"]
