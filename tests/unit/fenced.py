"""A sandbox for tests, or a skip with the reason why there is none."""

import pytest

from midfill.server.sandbox import Job, Limits, Outcome, Sandbox, SandboxRefused, open_sandbox

ROOMY = Limits(wall_s=30.0)
"""For what ends by itself, on a machine that is busy."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    try:
        return open_sandbox()
    except SandboxRefused as refused:
        pytest.skip(f"no sandbox: {refused}")


def run(sandbox: Sandbox, code: str, limits: Limits = ROOMY) -> Outcome:
    return sandbox.run(Job.of_code(code, limits))
