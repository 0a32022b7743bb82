"""From what a model answered to one sentence that may stand in a comment, or to nothing. Pure and strict:
whatever comes in, what goes out is plain prose on one line."""

import re

MOST_CHARS = 300
"""A sentence that is longer explains nothing."""
LABEL = re.compile(
    r"^\s*(?:[-*•]\s+|\d+[.)]\s+|>\s*|#+\s+|(?:answer|summary|a|description|docstring)\s*:\s*)", re.I
)
QUOTED = re.compile(r"^([\"'“«‘*_]+)(.*?)([\"'”»’*_]+)([.!。]?)$", re.S)
REFUSALS = re.compile(
    r"\b(i'?m sorry|i am sorry|i cannot|i can'?t|as an ai|as a language model|i don'?t know|not enough "
    r"(?:context|information)|please provide|sure[,!]|certainly[,!]|of course[,!])",
    re.I,
)
PLACEHOLDER = re.compile(r"<(?:what|when|the|a|an)\b[^>\n]*>?|\.\.\.$|\bTODO\b", re.I)
CODE = re.compile(
    r"^\s*(?:def|class|function|return|import|from|const|let|var|public|if|for|while|@)\b.*[:({;=]"
)
ENDS = re.compile(r"(?<=[.!?。！？])(?=\s|$)|(?<=[。！？])")


def words_of(text: str) -> list[str]:
    """Lower-case words; `camelCase` and `snake_case` are several."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.findall(r"[^\W\d_]+", spaced.lower())


EMPTY = frozenset(
    words_of(
        "a an the of is it its this that to and or value parameter argument type object instance variable "
        "input given passed used function method"
    )
)
"""Words that tell nothing of a parameter."""
FORBIDDEN = ('"""', "'''", "*/", "/*", "```")


def sentence(answer: str, most: int = MOST_CHARS) -> str | None:
    """The first sentence of `answer`, with a capital and a full stop; None if none is usable."""
    text = _first_paragraph(answer)
    text = LABEL.sub("", LABEL.sub("", text)).strip()
    quoted = QUOTED.match(text)
    if quoted and quoted[1][0] not in quoted[2]:
        text = (quoted[2] + quoted[4]).strip()
    text = _first_sentence(text).strip()
    if not _is_prose(text, most):
        return None
    text = text[0].upper() + text[1:] if not _begins_with_a_name(text) else text
    return text if text[-1] in ".!?。！？" else text.rstrip(" :;,") + _stop(text)


def paragraph(answer: str, most_sentences: int = 3) -> list[str]:
    """The first sentences of `answer` up to one that is none, each as `sentence` has it."""
    rest, found = _first_paragraph(answer, sentences=True), list[str]()
    while rest and len(found) < most_sentences:
        first = _first_sentence(rest)
        said = sentence(first)
        if said is None or said in found:
            break
        found.append(said)
        rest = rest[len(first) :].strip()
    return found


def is_whole_paragraph(answer: str) -> bool:
    """Whether `answer`, still being written, holds all that `paragraph` would take of it."""
    text = answer.lstrip()
    return "\n\n" in text or "```" in text or len(paragraph(text, 4)) > 3


def is_complete(answer: str) -> bool:
    """Whether `answer`, still being written, holds all that `sentence` would take of it."""
    text = answer.lstrip()
    return "\n" in text.rstrip(" ") or len(text) > 2 * MOST_CHARS or _first_sentence(text) != text.rstrip()


def says_more_than(text: str, *known: str) -> bool:
    """Whether `text` has a word that no name or type has: `The count.` says nothing of `count: int`."""
    given = {_stem(word) for one in known for word in words_of(one)}
    return any(_stem(word) not in given | EMPTY for word in words_of(text))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _first_paragraph(answer: str, sentences: bool = False) -> str:
    """What stands before the first fence and blank line, on one line. Unless `sentences` are wanted, a line
    that ends one ends it all."""
    text = "".join(c if c.isprintable() or c == "\n" else " " for c in answer.replace("\r", "\n"))
    text = text.partition("```")[0].strip()
    lines = text.partition("\n\n")[0].split("\n")
    kept = lines[:1]
    for line in lines[1:]:
        if LABEL.match(line) or (not sentences and kept[-1].rstrip()[-1:] in ".!?:。！？"):
            break
        kept.append(line)
    return " ".join(" ".join(kept).split())


def _first_sentence(text: str) -> str:
    for found in ENDS.finditer(text):
        before = text[: found.start()]
        if before.endswith(("e.g.", "i.e.", "etc.", "vs.")) and found.start() < len(text):
            continue
        if before.count("(") > before.count(")"):
            continue
        return before
    return text.rstrip()


def _is_prose(text: str, most: int) -> bool:
    words = text.split()
    if not words or len(text) > most or sum(c.isalpha() for c in text) < 0.5 * len(text):
        return False
    if any(mark in text for mark in FORBIDDEN) or REFUSALS.search(text) or PLACEHOLDER.search(text):
        return False
    if CODE.match(text) and not text.endswith("."):
        return False
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return len(triples) - len(set(triples)) < 2


def _begins_with_a_name(text: str) -> bool:
    first = text.split()[0]
    return first[0] == "`" or "_" in first or "(" in first or any(c.isupper() for c in first[1:])


def _stop(text: str) -> str:
    wide = "぀" <= text[-1] <= "鿿"
    return "。" if wide else "."
