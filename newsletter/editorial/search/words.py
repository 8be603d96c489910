"""Fold a text to words, so that a word is found however it is written (H5). Pure.

The same word in upper or lower case, with ё or е, any apostrophe or none, an accent, a soft
hyphen, Ў or У at its beginning, or a Latin letter among Cyrillic ones, gives the same result.
"""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 40
"""Characters of a word that count. Text and query are cut alike."""

_APOSTROPHES = "'’‘`´ʼʻʹʽ′‵ˈ"
_WITHOUT_DECOMPOSITION = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i"})
_LATIN = "abcehikmoptxy"
_CYRILLIC = "авсенікмортху"
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)
_ASCII_LETTER = re.compile(r"[a-z]")


class _Letters(dict[int, int | None]):
    """A table for `str.translate`: keeps letters and digits, drops marks and invisible characters,
    and turns everything else into a space."""

    def __missing__(self, code: int) -> int | None:
        self[code] = value = self._folded(chr(code))
        return value

    @staticmethod
    def _folded(char: str) -> int | None:
        category = unicodedata.category(char)
        # Up to class 9, marks are part of a letter (Indic vowels); above, they are accents.
        if char in _APOSTROPHES or category == "Cf" or unicodedata.combining(char) > 9:
            return None
        if category == "Nd":
            return ord(str(unicodedata.decimal(char)))
        return ord(char) if category[0] in "LMN" else ord(" ")


_APOSTROPHES_TABLE = dict.fromkeys(map(ord, _APOSTROPHES))
_LETTERS = _Letters()


def words(text: str) -> list[str]:
    """Return the folded words of a plain text, in order: "Сям’я й Ёлка" → ["сямя", "й", "елка"]."""
    # Some apostrophes decompose into a space and an accent, so they go first.
    plain = text.translate(_APOSTROPHES_TABLE).casefold()
    decomposed = unicodedata.normalize("NFKD", plain).casefold()
    # The breve makes another letter of these two. Any other mark is an accent.
    kept = decomposed.replace("и\u0306", "й").replace("у\u0306", "ў")
    spaced = kept.translate(_WITHOUT_DECOMPOSITION).translate(_LETTERS)
    return [_one_script(word[:MAX_LENGTH]) for word in spaced.split()]


def _one_script(word: str) -> str:
    """Correct letters of a similar script, and write ў at the beginning as у."""
    if word.isascii():
        return word
    if word[0] == "ў":
        word = "у" + word[1:]
    latin = _ASCII_LETTER.findall(word)
    if not latin:
        return word
    cyrillic = {char for char in word if "\u0400" <= char <= "\u04ff"}
    if cyrillic and set(latin).issubset(_LATIN):
        return word.translate(_TO_CYRILLIC)
    return word.translate(_TO_LATIN) if cyrillic.issubset(_CYRILLIC) else word
