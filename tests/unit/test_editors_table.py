"""The table in editors/README.md: every test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "editors" / "README.md").read_text(encoding="utf-8")
ROWS = re.compile(r"^\|.*\|$", re.MULTILINE)
NAMED = re.compile(r"^(\d+)\. `(tests/\S+\.py)::(\w+)`$", re.MULTILINE)


def test_every_yes_names_a_test_that_exists():
    named = {number: (file, test) for number, file, test in NAMED.findall(README)}
    used = set(re.findall(r"\[(\d+)\]", "".join(ROWS.findall(README))))
    assert used == named.keys()
    missing = [
        test
        for file, test in named.values()
        if f"def {test}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []
    assert not re.search(r"\| yes(?! \[)", README)
