"""Editors' HTML in an email and in its text part."""

from __future__ import annotations

import pytest

from newsletter.digest.fragments import as_text, excerpt, for_email, paragraph_text
from tests.digest.cast import SITE


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="/x">w</a>', f'<a href="{SITE}/x">w</a>'),
        (
            '<a href="https://e.example/?a=1&b=2">w</a>',
            '<a href="https://e.example/?a=1&amp;b=2">w</a>',
        ),
        ('<a href="javascript:x">w</a>', "w"),
        ('<a href="http://[">w</a>', "w"),
        ('<a lang="en" name="x">w</a>', "w"),
        ("<h1>a</h1>", "a"),
        ("<h2>a</h2><h3>b</h3>", "<h3>a</h3><h4>b</h4>"),
        ("<h4>a</h4>", "<h3>a</h3>"),
        ("<h2>a</h2><h6>b</h6>", "<h3>a</h3><h6>b</h6>"),
        ('<p style="color:red" class="x">a<img src="/x.png"></p>', "<p>a</p>"),
        ('<q lang="en" dir="ltr">a</q>', '<q lang="en" dir="ltr">a</q>'),
        ("", ""),
    ],
)
def test_only_html_that_suits_an_email_is_kept(html: str, expected: str) -> None:
    assert for_email(html, site_url=SITE) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<p>See <a href="https://e.example/">this</a>.</p>', "See this (https://e.example/)."),
        ('<p><a lang="en" href="https://e.example/">x</a></p>', "x (https://e.example/)"),
        (
            '<a href="https://e.example/?a&amp;b">https://e.example/?a&amp;b</a>',
            "https://e.example/?a&b",
        ),
        ("<p>a <em>b</em>, <span>c</span>.</p><p>d<br>e</p>", "a b, c.\n\nd\ne"),
        ("<ul><li>a</li><li>b</li></ul>", "  * a\n  * b"),
    ],
)
def test_a_fragment_becomes_plain_text_with_urls(html: str, expected: str) -> None:
    """A12"""
    assert as_text(html) == expected


def test_paragraph_text_skips_headings_and_lists() -> None:
    html = '<h3>H</h3><p>a <a href="https://e.example/">b</a>.</p><ul><li>c</li></ul>'
    assert paragraph_text(html) == "a b."
    assert paragraph_text("<h3>H</h3>") == "H"


def test_an_excerpt_is_cut_between_words() -> None:
    assert excerpt("one  two\nthree", least=3, most=20) == "one two three"
    assert excerpt("one two, three", least=3, most=10) == "one two…"
    assert excerpt("o" * 30, least=3, most=10) == "o" * 9 + "…"
