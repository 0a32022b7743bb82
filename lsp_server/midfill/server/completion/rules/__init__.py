"""The rules of clean-up, in the order in which they run. Each takes the text and the cursor and returns the
text, or "" to drop it; none knows of another."""

from collections.abc import Callable

from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.rules.balance import without_stray_closers
from midfill.server.completion.rules.ends import something_said, without_trailing_space
from midfill.server.completion.rules.indentation import (
    with_the_files_indentation,
    without_double_indentation,
    without_double_space,
)
from midfill.server.completion.rules.leaks import without_fences, without_markers, without_thoughts
from midfill.server.completion.rules.near_lines import (
    not_the_line_above,
    not_the_next_line,
    without_the_lines_below,
)
from midfill.server.completion.rules.repetition import without_a_loop
from midfill.server.completion.rules.same_line import (
    one_line_inside_a_line,
    without_a_new_start,
    without_an_echo,
    without_the_rest_of_the_line,
)
from midfill.server.completion.rules.whole import only_what_is_reached, whole_syntax

Rule = Callable[[str, CursorContext], str]

RULES: tuple[Rule, ...] = (
    without_thoughts,
    without_markers,
    without_fences,
    without_double_indentation,
    without_double_space,
    with_the_files_indentation,
    one_line_inside_a_line,
    without_a_new_start,
    without_an_echo,
    without_the_rest_of_the_line,
    without_the_lines_below,
    not_the_next_line,
    not_the_line_above,
    without_a_loop,
    without_stray_closers,
    only_what_is_reached,
    whole_syntax,
    without_trailing_space,
    something_said,
)
ALWAYS: frozenset[Rule] = frozenset({without_markers, without_trailing_space})
"""Not to be switched off: no marker reaches a buffer (invariant 5), and a suggestion is never blank."""
