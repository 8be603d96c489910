"""Editors' HTML in an email and in its text part."""

from __future__ import annotations

from functools import partial

import pytest

from newsletter.digest.content import ImageFile
from newsletter.digest.fragments import excerpt
from newsletter.digest.plain_text import wrap_lines
from newsletter.digest.rich_text.email import embedded_pictures, for_email
from newsletter.digest.rich_text.page import for_feed, for_page
from newsletter.digest.rich_text.text import as_text, paragraph_text
from tests.digest.cast import SITE

NOTE = (
    '<p>Text<sup class="note"><a href="#note-1">1</a></sup></p>'
    '<ol class="notes"><li id="note-1">A note.</li></ol>'
)
FIGURE = (
    '<figure><img src="/media/p/ferry.png" alt="A ferry" width="1104" height="600">'
    "<figcaption>At noon <small>Photo: A. B.</small></figcaption></figure>"
)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="/x">w</a>', f'<p><a href="{SITE}/x">w</a></p>'),
        (
            '<a href="https://e.example/?a=1&b=2">w</a>',
            '<p><a href="https://e.example/?a=1&amp;b=2">w</a></p>',
        ),
        ('<a href="javascript:x">w</a>', "<p>w</p>"),
        ('<a href="http://[">w</a>', "<p>w</p>"),
        ("<h2>a</h2><h3>b</h3>", "<h3>a</h3><h4>b</h4>"),
        ("<h4>a</h4>", "<h3>a</h3>"),
        ('<p style="color:red" class="x">a<img src="/x.png"></p>', "<p>a</p>"),
        ('<p>a <span lang="ar">b</span></p>', '<p>a <span lang="ar" dir="rtl">b</span></p>'),
        ("<blockquote><p>a</p><footer>b</footer></blockquote>",
         '<blockquote><p>a</p><p class="source">— b</p></blockquote>'),
        ("", ""),
    ],
)  # fmt: skip
def test_an_email_gets_html_that_mail_programs_know(html: str, expected: str) -> None:
    assert for_email(html, site_url=SITE, language="en") == expected


def test_footnotes_are_linked_both_ways_under_the_articles_prefix() -> None:
    for html in (
        for_email(NOTE, site_url=SITE, language="en", prefix="a7-"),
        for_feed(NOTE, site_url=SITE, language="en", prefix="a7-"),
        for_page(NOTE, language="en", prefix="a7-"),
    ):
        assert '<a href="#a7-note-1" id="a7-ref-1" name="a7-ref-1">1</a>' in html
        assert '<li id="a7-note-1">A note. <a href="#a7-ref-1" name="a7-note-1"' in html
        assert 'aria-label="Back to the text">↑</a>' in html


def test_a_second_reference_to_a_footnote_has_its_own_way_back() -> None:
    reference = '<sup class="note"><a href="#note-1">1</a></sup>'
    html = for_page(NOTE.replace("Text", f"First{reference} second"), language="en")
    assert html.count('href="#note-1"') == 2
    assert 'href="#ref-1"' in html
    assert 'href="#ref-1-2"' in html


def test_a_picture_in_a_text_is_linked_embedded_or_described() -> None:
    linked = for_email(FIGURE, site_url=SITE, language="en", pictures="linked")
    assert f'src="{SITE}/media/p/ferry.png" alt="A ferry" width="552" height="300"' in linked
    assert '<p class="caption">At noon <small>Photo: A. B.</small></p>' in linked
    (image,) = embedded_pictures(FIGURE)
    assert (image.name, image.type) == ("p/ferry.png", "image/png")
    embedded = for_email(FIGURE, site_url=SITE, language="en", pictures="embedded")
    assert f'src="cid:{image.cid}"' in embedded
    without = for_email(FIGURE, site_url=SITE, language="be", pictures="none")
    assert "<img" not in without
    assert "[Здымак: A ferry]" in without


def test_an_email_gets_the_copy_made_for_emails() -> None:
    """Issue 12. The alt text, and a size that the text states, stay."""
    copies = {"p/ferry.png": ImageFile("p/ferry-email.jpg", 1104, 736)}
    linked = for_email(FIGURE, site_url=SITE, language="en", copies=copies)
    assert f'src="{SITE}/media/p/ferry-email.jpg" alt="A ferry" width="552" height="300"' in linked
    (image,) = embedded_pictures(FIGURE, copies)
    assert (image.name, image.type) == ("p/ferry-email.jpg", "image/jpeg")
    in_email = partial(for_email, site_url=SITE, language="en", copies=copies)
    assert f'src="cid:{image.cid}"' in in_email(FIGURE, pictures="embedded")
    unsized = FIGURE.replace(' width="1104" height="600"', "")
    assert 'width="552" height="368"' in in_email(unsized)
    other = FIGURE.replace("ferry.png", "other.png")
    assert f'src="{SITE}/media/p/other.png"' in in_email(other)
    assert [each.name for each in embedded_pictures(other, copies)] == ["p/other.png"]


def test_a_page_offers_copies_and_leaves_other_pictures_alone() -> None:
    files = [ImageFile("p/ferry-320w.jpg", 320, 213), ImageFile("p/ferry.png", 1600, 1067)]
    unsized = FIGURE.replace(' width="1104" height="600"', "")
    html = for_page(unsized, language="en", copies={"p/ferry.png": files})
    assert 'src="/media/p/ferry.png" alt="A ferry" width="1600" height="1067"' in html
    assert 'srcset="/media/p/ferry-320w.jpg 320w, /media/p/ferry.png 1600w" sizes=' in html
    for copies in ({}, {"p/ferry.png": files[1:]}, {"p/other.png": files}):
        assert "srcset" not in for_page(FIGURE, language="en", copies=copies)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<p>See <a href="https://e.example/">this</a>.</p>', "See this (https://e.example/)."),
        ('<p>See <a href="/be/">this</a>.</p>', f"See this ({SITE}/be/)."),
        (
            '<a href="https://e.example/?a&amp;b">https://e.example/?a&amp;b</a>',
            "https://e.example/?a&b",
        ),
        ('<a href="mailto:a@e.example">a@e.example</a>', "mailto:a@e.example"),
        ("<p>a <em>b</em>, <span>c</span>.</p><p>d<br>e</p>", "a b, c.\n\nd\ne"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "  * a\n  * b\n      * c"),
        ('<ol start="9"><li>a</li><li>b</li></ol>', "  9. a\n  10. b"),
        ('<ol type="i"><li>a</li><li>b</li></ol>', "  i. a\n  ii. b"),
        ("<h2>a</h2><h3>b</h3>", "## a\n\n### b"),
        ("<blockquote><p>a</p><p>b</p><footer>c</footer></blockquote>", "> a\n>\n> b\n>\n> — c"),
        (
            "<table><caption>t</caption><tr><th>a</th><th>b</th></tr><tr><td>1</td>"
            "<td><p>2</p><p>3</p></td></tr></table>",
            "t\na | b\n1 | 2 / 3",
        ),
        ("<p>10<sup>6</sup>, CO<sub>2</sub>, x<sup>ab</sup></p>", "10⁶, CO₂, x^ab"),
        ("<p>a <s>b</s></p>", "a ~~b~~"),
        ("<p>a</p><hr><p>b</p>", "a\n\n* * *\n\nb"),
        (NOTE, "Text[1]\n\n[1] A note."),
        (FIGURE, "[Picture: A ferry]\nAt noon Photo: A. B."),
    ],
)  # fmt: skip
def test_a_fragment_becomes_plain_text_with_urls(html: str, expected: str) -> None:
    """A12, H2"""
    assert as_text(html, language="en", site_url=SITE) == expected


def test_wrapped_lines_keep_their_quote_marks_and_indentation() -> None:
    text = as_text(f"<blockquote><p>{'word ' * 30}</p></blockquote>", language="en")
    assert [line[:6] for line in wrap_lines(text).splitlines()] == ["> word"] * 3
    text = as_text(f"<ol><li>{'word ' * 30}</li></ol>", language="en")
    assert [line[:9] for line in wrap_lines(text).splitlines()] == ["  1. word", *["     word"] * 2]


def test_paragraph_text_skips_headings_lists_and_footnotes() -> None:
    html = f'<h3>H</h3><p>a <a href="https://e.example/">b</a>.</p><ul><li>c</li></ul>{NOTE}'
    assert paragraph_text(html) == "a b.\n\nText"
    assert paragraph_text("<h3>H</h3>") == "H"


def test_an_excerpt_is_cut_between_words() -> None:
    assert excerpt("one  two\nthree", least=3, most=20) == "one two three"
    assert excerpt("one two, three", least=3, most=10) == "one two…"
    assert excerpt("o" * 30, least=3, most=10) == "o" * 9 + "…"
