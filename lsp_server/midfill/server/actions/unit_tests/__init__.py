"""Unit tests for a Python function: written by the chat model, run behind bubblewrap, then offered.

`write_tests` is the action. Knows no LSP and no editor; reads the workspace in `survey` alone.
"""

from midfill.server.actions.unit_tests.action import WriteTests
from midfill.server.actions.unit_tests.consented import Consents
from midfill.server.actions.unit_tests.environment import python_for
from midfill.server.actions.unit_tests.offer import TestOffer
from midfill.server.actions.unit_tests.permission import Permission
from midfill.server.actions.unit_tests.place import NoTests, Place, Running
from midfill.server.actions.unit_tests.rendering import Insertion, applied
from midfill.server.actions.unit_tests.survey import text_on_disk
from midfill.server.actions.unit_tests.write import write_tests

__all__ = [
    "Consents",
    "Insertion",
    "NoTests",
    "Permission",
    "Place",
    "Running",
    "TestOffer",
    "WriteTests",
    "applied",
    "python_for",
    "text_on_disk",
    "write_tests",
]
