"""Code actions: docstrings, explanations and unit tests, written by the chat model and checked before they
are offered. Each is found without the model, run as a command, and ends in one `workspace/applyEdit`."""
