"""What the README's pictures show: a file, where the cursor is, what is typed there. Only text.

Each was tried with the default model before it was chosen: the pictures show what it is good at.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    file: str
    text: str
    line: int
    """1-based; its end is where the typing begins."""
    typed: str


NEOVIM = Scene(
    "totals.py",
    '''"""Sales, from files that the shops send."""

import csv
from collections import defaultdict


def totals_by_country(path: str) -> dict[str, float]:
    """The sum of the column `amount` for each country in a CSV file."""
    totals: dict[str, float] = defaultdict(float)
    with open(path, newline="") as file:



def print_totals(path: str) -> None:
    for country, total in sorted(totals_by_country(path).items()):
        print(f"{country:20} {total:12.2f}")
''',
    11,
    "        ",
)
HELIX = Scene(
    "words.go",
    """package words

// Reverse returns s with its characters in the opposite order.
func Reverse(s string) string {
	runes := []rune(s)

}

// IsPalindrome reports whether s reads the same backwards.
func IsPalindrome(s string) bool {
	return s == Reverse(s)
}
""",
    6,
    "\tfor ",
)
VSCODE = Scene(
    "figures.ts",
    """/** Figures about lists of numbers. */

export function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);

}
""",
    10,
    "  ",
)
