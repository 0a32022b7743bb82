"""Which natural language a file's comments are in. Pure; a guess that says English when in doubt."""

import re
import unicodedata
from collections import Counter

ENGLISH = "English"
SCRIPTS = {
    "CYRILLIC": "Russian",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CJK": "Chinese",
    "GREEK": "Greek",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "DEVANAGARI": "Hindi",
    "THAI": "Thai",
}
"""The script that a letter's Unicode name begins with → the language it is most often used for."""
WORDS = {
    "English": "the of and to is in that for it with as are be this on not by if an from or",
    "German": "der die das und ist nicht ein eine den dem mit für auf wird werden von zu sind bei als wenn",
    "French": "le la les des est une un et pour dans que qui sur avec pas du au sont par cette si",
    "Spanish": "el la los las de que y en un una es por con para del se no al como si esta",
    "Portuguese": "o a os as de que e do da em um uma é para com não por se no na dos são",
    "Italian": "il lo la gli le di che e un una è per con non del della si sono se nel al come",
}
"""The commonest words of languages in Latin letters."""
LEAST_LETTERS = 8
LEAST_WORDS = 4
COMMENTS = re.compile(
    r"\"\"\"(.*?)\"\"\"|'''(.*?)'''|/\*(.*?)\*/|(?:^|(?<=\s))(?:#(?!!)|//+)([^\n]*)", re.DOTALL
)


def language_of_comments(text: str) -> str:
    """The language's English name."""
    prose = " ".join(" ".join(filter(None, found)) for found in COMMENTS.findall(text))
    return language_of_prose(prose)


def language_of_prose(prose: str) -> str:
    """The same for a text that is nothing else."""
    letters = Counter(_script(letter) for letter in prose if letter.isalpha())
    latin = letters.pop("", 0)
    if letters:
        if letters["HIRAGANA"] + letters["KATAKANA"] >= LEAST_LETTERS / 2:
            return "Japanese"  # kanji count as Chinese
        script, count = letters.most_common(1)[0]
        if count >= LEAST_LETTERS and 2 * count > latin:  # code words and names are Latin everywhere
            return SCRIPTS[script]
    words = Counter(re.findall(r"[^\W\d_]+", prose.lower()))
    hits = {name: sum(words[word] for word in common.split()) for name, common in WORDS.items()}
    best = max(hits, key=lambda name: hits[name])
    return best if hits[best] >= LEAST_WORDS and hits[best] > 1.5 * hits[ENGLISH] else ENGLISH


def _script(letter: str) -> str:
    """A key of `SCRIPTS`; empty for Latin and all others."""
    if letter < "\u0370":
        return ""
    first = unicodedata.name(letter, "").partition(" ")[0]
    return first if first in SCRIPTS else ""
