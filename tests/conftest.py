"""What tests of every room share: the default model's weights, where they can be had."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Before anything imports torch: tiny models on two threads spend their time waiting for each other, and
# beside another busy process each wait is 4–8 ms (tests of the decode loop: 421 s against 25 s).
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that keeps the hub's own client off the network keeps it from the stand-ins on this machine, too.
os.environ.pop("HF_HUB_OFFLINE", None)

# Servers that tests start count nothing into the user's own statistics.
os.environ.setdefault("MIDFILL_STATISTICS_DIR", "")

ROOT = Path(__file__).resolve().parents[1]
MODEL_TIMEOUT_S = 1200
"""491 MB over a slow line."""


@pytest.fixture(scope="session")
def default_model() -> str:
    """The default model's name; its weights lie in the user's cache. Skips, with the reason, where they
    cannot be had."""
    fetch = [sys.executable, str(ROOT / "tools" / "fetch_default_model.py")]
    ended = subprocess.run(fetch, capture_output=True, text=True, timeout=MODEL_TIMEOUT_S, check=False)
    said = (ended.stderr or ended.stdout).strip()[-300:]
    if ended.returncode == 1:  # its word for: the weights cannot be had here
        pytest.skip(f"no default model: {said}")
    assert ended.returncode == 0, said
    return "qwen2.5-coder-0.5b-instruct"
