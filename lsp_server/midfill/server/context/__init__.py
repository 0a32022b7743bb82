"""What other files say about the place of the cursor: definitions, similar code, recent edits.

Gathered on a thread of its own while nobody waits (`gatherer.py`); a request takes what is ready.
"""
