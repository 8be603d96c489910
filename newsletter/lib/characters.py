"""Which characters a text may contain, decided once for forms, imports and commands (H1). Pure.

Every output must be able to hold what an input accepts: XML can't hold most control characters,
PostgreSQL can't hold NUL, UTF-8 can't hold half a surrogate pair, and a header can't hold a line
break. So each character is kept, rewritten, left out or refused:

- Line ends (CR LF, CR, VT, FF, NEL, U+2028, U+2029) become line feeds, or spaces in one line.
- Invisible characters that say nothing are left out: byte order mark, soft hyphen, zero-width
  space, word joiner. Zero-width joiners stay where a script or an emoji needs them.
- Bidirectional embeddings and isolates are closed at the end of their line.
- Everything else that isn't text is refused: `Refused` says what a refused character is.
- The rest is normalised to NFC, so that equal words are equal texts.

Sources: Unicode 15, chapters 3.4 and 23; XML 1.0, 2.2; UAX 9; UAX 31, 2.3; CVE-2021-42574.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from enum import StrEnum
from html import unescape

EXCERPT = 20
"""Characters before a refused one that an error quotes, so that it can be found."""


class Refused(StrEnum):
    """Why a character is refused."""

    CONTROL = "control"
    """A control character: NUL, escape, bell …"""
    SURROGATE = "surrogate"
    """Half of a character that was cut in two."""
    NONCHARACTER = "noncharacter"
    """A code point that Unicode reserves for a program's own use."""
    PRIVATE = "private"
    """A character that means something in one font only."""
    OVERRIDE = "override"
    """A character that shows the letters after it in reverse, so that they read as another text."""
    PLACEHOLDER = "placeholder"
    """A mark for an object that the program it was copied from didn't pass on."""


class UnfitCharacterError(ValueError):
    """The text contains a character that can't be kept. The message is for logs, in English."""

    def __init__(self, character: str, kind: Refused, before: str) -> None:
        self.character = character
        self.kind = kind
        self.before = before
        """The text just before the character, on one line."""
        super().__init__(f"{self.code_point} ({kind})")

    @property
    def code_point(self) -> str:
        """How Unicode writes the character, such as "U+0000"."""
        return f"U+{ord(self.character):04X}"


# --- Tables -----------------------------------------------------------------------------------
_LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_LINE_BREAKS = re.compile(r"[^\S\n]*\n\s*|\t")
_LEFT_OUT = re.compile("[\u00ad\u180e\u2060-\u2064\u206a-\u206f\ufeff]")
_TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007f]*\U000e007f)|[\U000e0000-\U000e007f]")
"""Invisible copies of ASCII. A flag such as Scotland's is the only text that uses them."""
_ZERO_WIDTH = re.compile("[\u200b-\u200d]+")
_WORD_FONTS = str.maketrans({"\uf0b7": "•", "\uf0a7": "▪"})
"""Bullets as word processors paste them, from the fonts Symbol and Wingdings."""

_CLOSES = {"\u202a": "\u202c", "\u202b": "\u202c"} | dict.fromkeys("\u2066\u2067\u2068", "\u2069")
"""Embeddings and isolates, with what closes each."""
_BIDI = re.compile("[\u202a-\u202c\u2066-\u2069]")

_REFUSED = {
    Refused.CONTROL: r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f",
    Refused.SURROGATE: r"\ud800-\udfff",
    Refused.NONCHARACTER: r"\ufdd0-\ufdef"
    + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(17)),
    Refused.PRIVATE: r"\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd",
    Refused.OVERRIDE: r"\u202d\u202e",
    Refused.PLACEHOLDER: r"\ufff9-\ufffc",
}
_UNFIT = re.compile("|".join(f"(?P<{kind}>[{ranges}])" for kind, ranges in _REFUSED.items()))
_PLAIN = re.compile(
    r"[\t\n\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u052f\u2000-\u200a\u2010-\u2027\u202f-\u205e]*"
)
"""Texts in Latin, Greek and Cyrillic letters, which need no further look, apart from NFC."""

_NEEDS_JOINERS = {
    *("ARABIC", "SYRIAC", "MANDAIC", "MONGOLIAN", "NKO", "MANICHAEAN", "SOGDIAN", "ADLAM"),
    *("HANIFI", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU"),
    *("KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN", "BALINESE"),
    *("JAVANESE", "SUNDANESE", "TAI", "CHAKMA", "GRANTHA", "MEETEI"),
}
"""Scripts that join letters or form conjuncts (Unicode 9.2, 12.1), by the first word of their
characters' names."""
_WITHOUT_SPACES = {"THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "TAI", "BALINESE", "JAVANESE"}
"""Scripts that separate words with a zero-width space, if at all."""


# --- Texts --------------------------------------------------------------------------------------
def one_line(text: str) -> str:
    """Return the stripped text on one line: line ends and tabs become a space.

    Raises UnfitCharacterError. Doing it again changes nothing.
    """
    return _LINE_BREAKS.sub(" ", lines(text)).strip()


def lines(text: str) -> str:
    """Return the text with LF between its lines. Raises UnfitCharacterError.

    Doing it again changes nothing.
    """
    kept = _LINE_END.sub("\n", text)
    if not _PLAIN.fullmatch(kept):
        kept = _TAGS.sub(r"\1", _LEFT_OUT.sub("", kept)).translate(_WORD_FONTS)
        if unfit := _UNFIT.search(kept):
            before = " ".join(kept[max(0, unfit.start() - EXCERPT) : unfit.start()].split())
            raise UnfitCharacterError(unfit[0], Refused(str(unfit.lastgroup)), before)
        kept = _ZERO_WIDTH.sub(_joiner, kept)
        if _BIDI.search(kept):
            kept = "\n".join(map(_balanced, kept.split("\n")))
    return unicodedata.normalize("NFC", kept)


def markup(html: str) -> str:
    """Return HTML like `lines`, and treat character references such as `&#8232;` like characters.

    Raises UnfitCharacterError.
    """
    return lines(_REFERENCE.sub(_dereferenced, html))


def for_xml(text: str) -> str:
    """Return the text without what XML 1.0 (2.2) forbids, for rows that were never checked."""
    return _NOT_XML.sub("", text)


# --- Helpers ------------------------------------------------------------------------------------
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]\w{1,31}));?")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _dereferenced(reference: re.Match[str]) -> str:
    """Return the text of a reference to an invisible or unfit character; others stay as they are.

    Browsers read `&#128;` to `&#159;` as Windows-1252, and so does `unescape`, but it replaces the
    references that we want to refuse.
    """
    decimal, hexadecimal, _name = reference.groups()
    number = int(decimal) if decimal else int(hexadecimal or "-1", 16)
    is_direct = 0 <= number <= sys.maxunicode and not 0x80 <= number < 0xA0
    text = chr(number) if is_direct else unescape(reference[0])
    is_special = unicodedata.category(text[0])[0] in "CZ" and text[0] not in " \t\n\xa0"
    return text if is_special else reference[0]


def _joiner(found: re.Match[str]) -> str:
    """Return the zero-width character if its neighbours need it, otherwise nothing."""
    text, character = found.string, found[0][0]
    # A space joins nothing, as if the text ended there; a line's spaces may be stripped later.
    before = text[max(0, found.start() - 1) : found.start()].strip()
    after = text[found.end() : found.end() + 1].strip()
    scripts = {_script(neighbour) for neighbour in (before, after) if neighbour}
    if character == "\u200d" and scripts & _NEEDS_JOINERS:
        return character  # also at a word's end: it gives the letter before it its joined form
    if not before or not after:
        return ""
    if character == "\u200b":
        return character if scripts <= _WITHOUT_SPACES else ""
    if scripts & _NEEDS_JOINERS:
        return character
    # Family, profession and flag emoji are sequences with joiners (UTS 51, 2.3).
    in_emoji = unicodedata.category(before) in {"So", "Sk", "Mn"} and _is_symbol(after)
    return character if character == "\u200d" and in_emoji else ""


def _script(character: str) -> str:
    return unicodedata.name(character, "").replace("'", "").partition(" ")[0]


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) == "So"


def _balanced(line: str) -> str:
    """Close what is still open at the end of the line, and leave out what closes nothing."""
    open_marks: list[str] = []

    def keep(found: re.Match[str]) -> str:
        mark = found[0]
        if mark in _CLOSES:
            open_marks.append(_CLOSES[mark])
            return mark
        if mark not in open_marks or (mark == "\u202c" and open_marks[-1] != mark):
            return ""
        # As in UAX 9, X6a: closing an isolate also closes the embeddings inside it.
        while open_marks.pop() != mark:
            pass
        return mark

    return _BIDI.sub(keep, line) + "".join(reversed(open_marks))
