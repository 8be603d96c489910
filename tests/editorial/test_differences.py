"""Differences word by word, and combining two changes."""

from __future__ import annotations

import re

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.differences import (
    combine_html,
    combine_words,
    compare_html,
    compare_words,
    count_places,
    html_as_html,
    words_as_html,
)


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("sent the last three vessels", "sent the last four vessels",
         "sent the last <del>three</del><ins>four</ins> vessels"),
        ("Лід", "Лід.", "Лід<ins>.</ins>"),
        ("сям’я і дом", "сям’я", "сям’я<del> і дом</del>"),
        ("well-known", "well-kept", "<del>well-known</del><ins>well-kept</ins>"),
        ("", "a < b & c", "<ins>a &lt; b &amp; c</ins>"),
        ("<script>", "", "<del>&lt;script&gt;</del>"),
        ("same", "same", "same"),
    ],
)  # fmt: skip
def test_words_that_differ_are_marked(old: str, new: str, shown: str) -> None:
    assert words_as_html(compare_words(old, new)) == shown


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("<p>The last three.</p><p>Same.</p>", "<p>The last four.</p><p>Same.</p>",
         "<p>The last <del>three</del><ins>four</ins>.</p><p>Same.</p>"),
        ("<p>One.</p>", "<p>One.</p><p>Two.</p>", "<p>One.</p><p><ins>Two.</ins></p>"),
        ("<p>One.</p><p>Two.</p>", "<p>Two.</p>", "<del> One. </del><p>Two.</p>"),
        ("<p>a word</p>", "<p>a <strong>word</strong></p>", "<p>a <strong>word</strong></p>"),
        ("<p>a &amp; b</p>", "<p>a &lt; b</p>", "<p>a <del>&amp;</del><ins>&lt;</ins> b</p>"),
    ],
)  # fmt: skip
def test_html_is_compared_as_words_and_keeps_the_newer_tags(old: str, new: str, shown: str) -> None:
    assert html_as_html(compare_html(old, new)) == shown


def test_places_are_counted_once_each() -> None:
    parts = compare_words("one two three four", "one 2 three 4 and")
    assert count_places(parts) == 2
    assert count_places(compare_words("same", "same")) == 0


_inline = st.lists(
    st.sampled_from(["word ", "слова ", "&amp; ", "<strong>bold</strong> ", "<em>it</em> ", ". "]),
    max_size=6,
).map("".join)
_html = st.lists(
    st.one_of(
        _inline.map(lambda text: f"<p>{text}</p>"),
        _inline.map(lambda text: f"<h2>{text}</h2>"),
        _inline.map(lambda text: f"<ul><li>{text}</li><li>{text}x</li></ul>"),
    ),
    max_size=5,
).map(lambda blocks: clean_html("".join(blocks)))


@given(old=_html, new=_html)
def test_a_difference_is_well_formed_and_contains_the_newer_text(old: str, new: str) -> None:
    shown = html_as_html(compare_html(old, new))
    tags = {"p", "h2", "ul", "li", "strong", "em", "ins", "del"}
    assert nh3.clean(shown, tags=tags) == shown
    without = re.sub(r"<del>[^<]*</del>|</?ins>", "", shown)
    assert without == new


@given(base=_html, change=_html)
def test_a_change_by_one_person_is_taken_as_it_is(base: str, change: str) -> None:
    assert combine_html(base, base, change).text == change
    assert combine_html(base, change, base).text == change
    assert not combine_html(base, change, change).overlaps


def test_changes_in_different_places_are_combined() -> None:
    combined = combine_words("one two three", "1 two three", "one two 3")
    assert (combined.text, combined.overlaps) == ("1 two 3", False)
    base = "<p>a</p><p>b</p><p>c</p>"
    both = combine_html(base, base.replace("a", "A"), base.replace("c", "C"))
    assert (both.text, both.overlaps) == ("<p>A</p><p>b</p><p>C</p>", False)


def test_where_changes_overlap_both_are_in_the_text() -> None:
    combined = combine_words("one two", "one 2", "one zwei")
    assert (combined.text, combined.overlaps) == ("one 2 zwei", True)
    both = combine_html("<p>b</p>", "<p>theirs</p>", "<p>mine</p>")
    assert (both.text, both.overlaps) == ("<p>theirs</p><p>mine</p>", True)


def test_a_long_text_is_compared_in_reasonable_time() -> None:
    """Two texts of 200 pages with no paragraph in common."""
    old = "".join(f"<p>{'alpha beta ' * 40}{n}</p>" for n in range(1500))
    new = "".join(f"<p>{'gamma delta ' * 40}{n}</p>" for n in range(1500))
    shown = html_as_html(compare_html(old, new))
    assert shown.count("<ins>") == 1500
