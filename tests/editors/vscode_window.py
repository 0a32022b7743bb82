"""What is written in the window that most of VS Code's tests share. Constants alone."""

TEXT = "alpha + beta"
"""The scripted model writes it."""
HEAD = "def add(alpha, beta):\n    "
"""A file's text before anything is typed; the cursor at its end."""
ANSWERS = ["Add both.", "A number."]
"""What the scripted model answers to a code action, in turn."""
