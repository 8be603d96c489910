"""Which characters a text may contain (H1)."""

from __future__ import annotations

import time
import unicodedata
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lib import characters
from newsletter.lib.characters import Refused, UnfitCharacterError

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=40)
FORMATS = "\u200b\u200c\u200d\u202a\u202b\u202c\u2066\u2067\u2068\u2069\u00ad\ufeff\n\r\v"
ODD_TEXT = st.text(st.sampled_from(f"ab яé👩💻🏴كक\u0301\u094d{FORMATS}"), max_size=30)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_a_line_end_is_a_line_feed_or_a_space(end: str) -> None:
    assert characters.lines(f"one{end}two") == "one\ntwo"
    assert characters.one_line(f"one{end}two") == "one two"
    assert characters.one_line(f"{end}one {end}{end} two{end}") == "one two"


def test_a_tab_stays_in_a_text_and_is_a_space_in_one_line() -> None:
    assert characters.lines("a\tb") == "a\tb"
    assert characters.one_line("a\tb") == "a b"


def test_spaces_that_are_text_stay() -> None:
    """A no-break space keeps “10 000” and «5 %» together."""
    assert characters.one_line("10\u00a0000 5\u202f% a  b") == "10\u00a0000 5\u202f% a  b"


@pytest.mark.parametrize(
    "character",
    ["\ufeff", "\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\u180e", "\U000e0041"],
)
def test_an_invisible_character_that_says_nothing_is_left_out(character: str) -> None:
    assert characters.one_line(f"{character}вы{character}бары{character}") == "выбары"


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian: without the non-joiner, another word
        "क्\u200dष",  # Devanagari half form
        "ශ්\u200dරී",  # Sinhala
        "ه\u200d ق",  # a letter alone, in the form that it has within a word
        "سنة ه\u200d",
        "👩\u200d💻",
        "👩🏽\u200d🚀",
        "🏳️\u200d🌈",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland's flag
        "ไทย\u200bไทย",
        "\u2067שלום\u2069 a",
    ],
)
def test_an_invisible_character_that_a_script_needs_stays(text: str) -> None:
    assert characters.one_line(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a \u2067b", "a \u2067b\u2069"),
        ("a \u202bb", "a \u202bb\u202c"),
        ("a\u2069 b\u202c", "a b"),
        ("\u2066\u202ba\u2069b\u202c", "\u2066\u202ba\u2069b"),
        ("\u2066a\u202cb", "\u2066ab\u2069"),
        ("\u2067a\nb", "\u2067a\u2069\nb"),
    ],
)
def test_a_direction_never_reaches_beyond_its_line(text: str, kept: str) -> None:
    assert characters.lines(text) == kept


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("\0", Refused.CONTROL),
        ("\x1b", Refused.CONTROL),
        ("\x7f", Refused.CONTROL),
        ("\x9f", Refused.CONTROL),
        ("\ud83d", Refused.SURROGATE),
        ("\ufdd0", Refused.NONCHARACTER),
        ("\uffff", Refused.NONCHARACTER),
        ("\U0001fffe", Refused.NONCHARACTER),
        ("\U0010ffff", Refused.NONCHARACTER),
        ("\uf8ff", Refused.PRIVATE),
        ("\U000f0001", Refused.PRIVATE),
        ("\u202e", Refused.OVERRIDE),
        ("\ufffc", Refused.PLACEHOLDER),
    ],
)
def test_what_is_no_text_is_refused_with_what_stands_before_it(
    character: str, kind: Refused
) -> None:
    with pytest.raises(UnfitCharacterError) as error:
        characters.lines(f"Адзін\u2028два {character}тры")
    assert (error.value.character, error.value.kind) == (character, kind)
    assert error.value.before == "Адзін два"
    assert error.value.code_point == f"U+{ord(character):04X}"


def test_a_text_is_composed() -> None:
    assert characters.one_line("и\u0306 е\u0308") == "й ё"


def test_a_bullet_of_word_is_a_bullet() -> None:
    assert characters.lines("\uf0b7 one\n\uf0a7 two") == "• one\n▪ two"


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("a&#8232;b&#x2029;c", "a\nb\nc"),
        ("a&shy;b&shyc&#xFEFF;d&ZeroWidthSpace;", "abcd"),
        ("&#133; &#x93;", "&#133; &#x93;"),  # in HTML these are “…” and “ ‘ ”
        ("&lt;p&gt; &amp;#0; &nbsp; &#160; &minus; &fjlig; &nothing; AT&T &", None),
    ],
)
def test_a_reference_to_a_character_is_that_character(html: str, kept: str | None) -> None:
    assert characters.markup(html) == (html if kept is None else kept)


@pytest.mark.parametrize(
    "html", ["&#0;", "&#x0;", "&#11111;&#27;", "&#xD800;", "&#x202E;", "&#xFFFF;"]
)
def test_a_reference_to_an_unfit_character_is_refused(html: str) -> None:
    with pytest.raises(UnfitCharacterError):
        characters.markup(f"<p>{html}</p>")


@pytest.mark.parametrize("text", ["\r\u200c،", "، \u200c\n", "a \u200c،"])
def test_a_non_joiner_beside_a_space_is_left_out(text: str) -> None:
    assert "\u200c" not in characters.lines(text)


@given(ANY_TEXT | ODD_TEXT)
def test_what_is_kept_fits_every_output_and_stays_as_it_is(text: str) -> None:
    for rule in (characters.one_line, characters.lines, characters.markup):
        try:
            kept = rule(text)
        except UnfitCharacterError:
            continue
        assert rule(kept) == kept
        assert kept == characters.for_xml(kept)
        assert unicodedata.is_normalized("NFC", kept)
        assert not set(kept) & set("\0\r\v\f\x85\u2028\u2029\ufeff\u00ad")
        if rule is characters.one_line:
            assert kept == " ".join(kept.splitlines()).strip()


@given(ANY_TEXT)
def test_only_invisible_characters_are_left_out(text: str) -> None:
    """No letter, digit, sign or space is lost, whatever stands around it (H2)."""
    try:
        kept = characters.lines(text)
    except UnfitCharacterError:
        return
    visible = "".join(
        c for c in text.translate({0xA: 0x20}) if unicodedata.category(c)[0] in "LNPS"
    )
    shown = "".join(c for c in kept if unicodedata.category(c)[0] in "LNPS")
    assert unicodedata.normalize("NFC", shown) == unicodedata.normalize(
        "NFC", visible.replace("\uf0b7", "•")
    )


@given(ANY_TEXT)
def test_whatever_is_stored_can_be_put_into_xml(text: str) -> None:
    safe = characters.for_xml(text).replace("&", "").replace("<", "").replace(">", "")
    expat.ParserCreate().Parse(f"<x>{safe}</x>", True)


def test_five_megabytes_are_checked_in_a_moment() -> None:
    text = "Слова і word, «слова» – word… " * 170_000
    started = time.process_time()
    assert len(characters.markup(text)) == len(text)
    assert time.process_time() - started < 2
