"""Runs somebody's Python code where it can do no harm, or refuses. Knows no LSP and no model.

`open_sandbox()` tries the fence before it hands out a sandbox; `Sandbox.run(Job)` gives an `Outcome`.
"""

from midfill.server.sandbox.job import CODE, SCRATCH, Job, Limit, Limits, Outcome
from midfill.server.sandbox.probe import open_sandbox
from midfill.server.sandbox.run import Sandbox, SandboxRefused

__all__ = [
    "CODE",
    "SCRATCH",
    "Job",
    "Limit",
    "Limits",
    "Outcome",
    "Sandbox",
    "SandboxRefused",
    "open_sandbox",
]
