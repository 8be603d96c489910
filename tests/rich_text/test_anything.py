"""Whatever is nested into whatever: no word is lost or joined, and cleaning again changes nothing.

H2: cleaning never changes what a text says.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.digest.rich_text.email import for_email
from newsletter.digest.rich_text.page import for_feed, for_page
from newsletter.digest.rich_text.structure import canonical
from newsletter.digest.rich_text.text import as_text
from newsletter.digest.rich_text.tree import last_word, serialize
from newsletter.editorial.cleaning import clean, clean_html
from tests.rich_text.visible import words_of

BLOCKS = (
    *("p", "div", "h1", "h2", "h3", "h4", "h6", "ul", "ol", "li", "blockquote", "section", "pre"),
    *("table", "tbody", "thead", "tr", "td", "th", "caption", "figure", "figcaption", "footer"),
    *("article", "dl", "dt", "dd", "details", "summary", "center", "address"),
)
INLINE = (
    *("b", "strong", "i", "em", "s", "del", "sup", "sub", "span", "a", "small", "font", "cite"),
    *("u", "mark", "code", "o:p", "made-up", "tg-spoiler", "abbr", "label"),
)
ATTRIBUTES = (
    *("", " lang=be", ' href="https://news.example/a?b=1&c=2"', ' href="#x"', " start=4"),
    *(" colspan=2", ' class="notes"', ' class="note"', " style='font-weight:bold'", ' id="note-1"'),
    *(
        " style='font-style:italic;vertical-align:super'",
        " type=a",
        ' href="#note-1"',
        " rowspan=2",
    ),
    *(" style='mso-list:l0 level2 lfo1'", " style='white-space:pre-wrap'", " class=MsoHeading2"),
)
WORD = st.from_regex(r"[a-zа-яёіў0-9]{2,6}", fullmatch=True)
TEXT = st.one_of(
    WORD.map(lambda word: f" {word} "),
    st.sampled_from(
        [" ", "\n", "\n\n", "&nbsp;", "&amp;", "&lt;b&gt;", "<br>", "<hr>", "&amp;lt;"]
    ),
)


def element(names: tuple[str, ...], content: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda name, attributes, inner: f"<{name}{attributes}>{inner}</{name}>",
        st.sampled_from(names),
        st.sampled_from(ATTRIBUTES),
        content,
    )


def several(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(parts, max_size=5).map("".join)


NESTED = st.recursive(
    TEXT, lambda inner: element(INLINE, several(inner)) | element(BLOCKS, several(inner))
)
HTML = several(NESTED)


@given(html=HTML)
@settings(max_examples=120, deadline=None)
def test_no_word_is_lost_or_joined(html: str) -> None:
    """Every word has spaces or tags around it, so each must still be separate."""
    words = sorted(words_of(html))
    assert sorted(words_of(clean_html(html))) == words


@given(html=HTML)
@settings(max_examples=120, deadline=None)
def test_cleaning_again_changes_nothing(html: str) -> None:
    cleaned = clean(html)
    again = clean(cleaned.html)
    assert again.html == cleaned.html
    assert serialize(canonical(cleaned.html)) == cleaned.html
    assert last_word(cleaned.html) == cleaned.html


@given(html=HTML)
@settings(max_examples=80, deadline=None)
def test_every_channel_shows_all_words(html: str) -> None:
    stored = clean_html(html)
    words = sorted(words_of(stored))
    page = for_page(stored, language="be")
    feed = for_feed(stored, language="be", site_url="https://news.example")
    email = for_email(stored, language="be", site_url="https://news.example")
    for shown in (page, feed, email):
        assert sorted(words_of(shown)) == words
    text = unicodedata.normalize("NFKC", as_text(stored, language="be", with_urls=False))
    found = re.findall(r"[a-zа-яёіў0-9]{2,}", text)
    assert set(re.findall(r"[a-zа-яёіў0-9]{2,}", " ".join(words))) <= set(found)


@given(html=st.text(alphabet=st.characters(exclude_categories=[]), max_size=60))
@settings(max_examples=80, deadline=None)
def test_any_characters_can_be_cleaned_and_sent(html: str) -> None:
    """H1: no character of a text can break an email or a feed."""
    stored = clean_html(html)
    assert stored.isprintable() or not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", stored)
    assert clean_html(stored) == stored


@pytest.mark.parametrize("text", ["a &amp;lt; b", "&amp;amp;", "&lt;p&gt;", "1 < 2 & 3"])
def test_nothing_is_unescaped_twice(text: str) -> None:
    shown = words_of(text)
    assert words_of(clean_html(text)) == shown
    assert words_of(clean_html(clean_html(text))) == shown


def test_markup_that_is_escaped_stays_text() -> None:
    assert clean_html(escape("<b>a</b>")) == "<p>&lt;b&gt;a&lt;/b&gt;</p>"
