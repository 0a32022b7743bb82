"""Which natural language a file's comments are in, and whether an answer is in it. Pure; guesses by letters
and common words that say English, or yes, when in doubt. No library: those that read short sentences well
weigh more than the server (lingua's wheel: 160 MB), and here a few languages are asked about, not all.
"""

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
OF_DOCUMENTATION = {
    "English": "a an return returns list value values number each every all given function string when",
    "German": "gibt zurück liste wert werte jede jedes jeden zahl ob oder einer eines aus im nur funktion",
    "French": "renvoie retourne de liste valeur valeurs nombre chaque donnée fonction chaîne ou si son",
    "Spanish": "devuelve lista valor valores número cada dado función cadena si o suma todos su",
    "Portuguese": "retorna devolve lista valor valores número cada dado função se ou soma todos seu da",
    "Italian": "restituisce ritorna lista valore valori numero ogni dato funzione stringa se o somma suo",
}
"""More of them, as they stand in documentation: for texts that are one sentence."""
ENGLISH_TOO = frozenset(
    {"a", "as", "come", "con", "do", "in", "me", "no", "non", "o", "par", "pas", "per", "pour", "se", "sur"}
)
"""Words of other languages that English sentences about code may hold as well."""
PROSE_CHARS = 20_000
"""So much of a file's comments tells their language: 2 ms of looking at letters."""
LEAST_LETTERS = 8
LEAST_WORDS = 4
LEAST_FOREIGN_WORDS = 2
NO_PROSE = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'|\S*[\d_().\[\]=]\S+")
"""Code and quoted text in a sentence: in no natural language."""
COMMENTS = re.compile(
    r"\"\"\"(.*?)\"\"\"|'''(.*?)'''|/\*(.*?)\*/|(?:^|(?<=\s))(?:#(?!!)|//+)([^\n]*)", re.DOTALL
)


def language_of_comments(text: str) -> str:
    """The language's English name."""
    prose: list[str] = []
    room = PROSE_CHARS
    for found in COMMENTS.finditer(text):
        prose += filter(None, found.groups())
        room -= found.end() - found.start()
        if room < 0:
            break
    return language_of_prose(" ".join(prose))


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


def may_be_in(language: str, said: str) -> bool:
    """Whether `said`, a sentence or more, may be in `language`, one of those that this file names."""
    prose = NO_PROSE.sub(" ", said)
    letters = Counter(SCRIPTS.get(_script(letter), "") for letter in prose if letter.isalpha())
    if letters["Japanese"] or language == "Japanese":
        letters["Japanese"] += letters.pop("Chinese", 0)  # kanji
    others = letters.total() - letters[""]
    if language in SCRIPTS.values():
        return 3 * letters[language] >= letters.total()  # names stay Latin
    if 2 * others > letters.total():
        return False
    words = Counter(re.findall(r"[^\W\d_]+", prose.lower()))
    known = _common_in(language)
    for other in (name for name in WORDS if name != language):
        foreign = _common_in(other) - (ENGLISH_TOO if language == ENGLISH else frozenset())
        theirs, own = (sum(words[word] for word in some) for some in (foreign - known, known - foreign))
        if theirs >= LEAST_FOREIGN_WORDS and theirs > 2 * own:
            return False
    return True


def _common_in(language: str) -> frozenset[str]:
    return frozenset(f"{WORDS.get(language, '')} {OF_DOCUMENTATION.get(language, '')}".split())


def _script(letter: str) -> str:
    """A key of `SCRIPTS`; empty for Latin and all others."""
    if letter < "\u0370":
        return ""
    first = unicodedata.name(letter, "").partition(" ")[0]
    return first if first in SCRIPTS else ""
