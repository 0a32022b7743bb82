"""The README's pictures: there, small, described for who cannot see them, and fetching nothing."""

import re
from pathlib import Path

import pytest

from tools.terminal_svg import to_svg

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.findall(r"!\[(.*?)\]\((docs/pictures/.*?)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
MOST_BYTES = {".svg": 60_000, ".png": 150_000}


def test_every_picture_is_shown_and_described():
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "pictures").iterdir()}
    assert files == {file for _, file in SHOWN}
    assert all(len(text.split()) >= 5 for text, _ in SHOWN)


@pytest.mark.parametrize("file", [file for _, file in SHOWN])
def test_a_picture_is_small_and_holds_no_address_and_no_path(file):
    content = (ROOT / file).read_bytes()
    assert len(content) < MOST_BYTES[Path(file).suffix]
    text = content.replace(b'xmlns="http://www.w3.org/2000/svg"', b"")
    assert b"http" not in text
    assert b"/tmp/" not in text


def test_a_screen_becomes_text_in_its_colours():
    picture = to_svg("a \x1b[38;2;255;0;0m<red>\x1b[0m\n\x1b[48;2;0;0;90m b \x1b[0m", 20, "t")
    (red,) = re.findall(r"\.(t-r\d) { fill: #ff0000 }", picture)
    assert re.search(rf'<text class="{red}"[^>]*>&lt;red&gt;</text>', picture)
    assert '<rect fill="#00005a"' in picture
    assert picture.startswith('<svg viewBox="-8 -6 260 65"')
