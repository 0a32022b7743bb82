"""A terminal's screen, with its escape sequences, as an SVG picture. Knows no editor."""

from io import StringIO

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import TerminalTheme

BACKGROUND, FOREGROUND = (20, 22, 27), (224, 226, 234)
"""Of what the program itself leaves uncoloured; Neovim's own dark ones."""
ANSI = [
    (0, 0, 0), (205, 49, 49), (13, 188, 121), (229, 229, 16),
    (36, 114, 200), (188, 63, 188), (17, 168, 205), (229, 229, 229),
]  # fmt: skip
THEME = TerminalTheme(BACKGROUND, FOREGROUND, ANSI)
# Fonts come from whoever looks at it: a picture must fetch nothing.
SVG = """<svg viewBox="-8 -6 WIDTH HEIGHT" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">\
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
<rect x="-8" y="-6" width="WIDTH" height="HEIGHT" fill="#14161b" />
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</svg>
"""


CELL_PX = (12.2, 24.4)
"""A character's, as rich draws it."""
MARGIN_PX = 16


def to_svg(screen: str, columns: int, name: str) -> str:
    """`screen`: lines of text with colours, as a terminal gets them. `name` begins every id."""
    console = Console(record=True, width=columns, file=StringIO(), color_system="truecolor")
    lines = list(AnsiDecoder().decode(screen))  # a colour lasts beyond a line's end
    for line in lines:
        console.print(line, no_wrap=True, overflow="crop", crop=True)
    width, height = columns * CELL_PX[0] + MARGIN_PX, len(lines) * CELL_PX[1] + MARGIN_PX
    frame = SVG.replace("WIDTH", f"{width:.0f}").replace("HEIGHT", f"{height:.0f}")
    return console.export_svg(theme=THEME, code_format=frame, unique_id=name)
