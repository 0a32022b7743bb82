"""Text from other files as token ids: what fits of it, in the family's format.

Snippets keep the order that they come in, and stand before everything that typing changes, so that they
are prefilled once. Paths, names and texts are encoded as text; markers are spliced in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from midfill.model.api import FimRequest, Snippet
from midfill.model.dialects.repository import Field, Mark, Part, RepositoryFormat, commented
from midfill.model.tokens import CodeTokenizer

LEAST_CUT_TOKENS = 48
"""A snippet that does not fit is cut at a line end; less room than this (some five lines) is left free."""


_Filled = list[Mark | str]
"""Parts of a format with the user's text in its places."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What goes before the FIM prompt, and what at its prefix's beginning."""

    before: tuple[int, ...] = ()
    in_prefix: tuple[int, ...] = ()
    snippets: int = 0
    """How many of the request's: the last ones."""

    @property
    def tokens(self) -> int:
        return len(self.before) + len(self.in_prefix)


@dataclass(frozen=True, slots=True)
class Renderer:
    """Makes one family's prompts' surroundings. `ids` maps the format's markers to their ids."""

    tokenizer: CodeTokenizer
    format: RepositoryFormat
    ids: Mapping[str, int]

    def render(self, request: FimRequest, budget_tokens: int) -> Surroundings:
        """The snippets of `request` that fit `budget_tokens`, the later before the earlier; in order.

        Without any there are no surroundings at all, no header of the cursor's file either.
        """
        if not request.snippets:
            return Surroundings()
        own = {Field.REPOSITORY: _on_one_line(request.repository), Field.PATH: _shown(request.path)}
        head = self._filled(self.format.head, own) if request.repository else []
        current, inner = self._filled(self.format.current, own), self._filled(self.format.in_prefix, own)
        left = budget_tokens - len(self._encode([*head, *current, *inner]))
        files: list[_Filled] = []
        for snippet in reversed(request.snippets):
            file, tokens = self._fitting(snippet, request.language, left)
            if not file:
                break
            files.insert(0, file)
            left -= tokens
        if not files:
            return Surroundings()
        outer = [*head, *(part for file in files for part in file), *current]
        if self.format.all_in_prefix:
            whole = tuple(self._encode([*outer, *inner], begins=True))
            return Surroundings(in_prefix=whole, snippets=len(files))
        before, in_prefix = tuple(self._encode(outer)), tuple(self._encode(inner, begins=True))
        return Surroundings(before, in_prefix, len(files))

    def _fitting(self, snippet: Snippet, language: str, budget: int) -> tuple[_Filled, int]:
        """One file and its tokens: all of it, or its first lines, or nothing."""
        text = snippet.text.strip("\n") + "\n"
        while text.strip():
            file = self._file(snippet.path, text, language)
            tokens = len(self._encode(file))
            if tokens <= budget:
                return file, tokens
            if budget < LEAST_CUT_TOKENS:
                break
            # Comment signs make a text longer: in proportion, and a line less each time around.
            around = len(text) * budget // tokens
            text = text[: text.rfind("\n", 0, min(around, len(text) - 1)) + 1]
        return [], 0

    def _file(self, path: str, text: str, language: str) -> _Filled:
        shown = _shown(path)
        own = {Field.PATH: shown, Field.TEXT: text, Field.COMMENTED: commented(shown, text, language)}
        return self._filled(self.format.file, own)

    def _filled(self, parts: Sequence[Part], own: Mapping[Field, str]) -> _Filled:
        return [own[part] if isinstance(part, Field) else part for part in parts]

    def _encode(self, parts: _Filled, *, begins: bool = False) -> list[int]:
        """Neighbouring texts as one, the markers between them as ids. `begins`: nothing stands before
        (SentencePiece then implies a space).
        """
        ids: list[int] = []
        text = ""
        for part in (*parts, None):
            if isinstance(part, str):
                text += part
                continue
            is_first = begins and not ids
            ids += self.tokenizer.encode(text) if is_first else self.tokenizer.encode_continuation(text)
            text = ""
            if part is not None:
                ids.append(self.ids[part.name])
        return ids


def _shown(path: str) -> str:
    """A path as a model has seen paths: a URI's last part, on one line."""
    return _on_one_line(unquote(path.rpartition("/")[2]) if "://" in path else path)


def _on_one_line(text: str) -> str:
    return " ".join(text.splitlines())
