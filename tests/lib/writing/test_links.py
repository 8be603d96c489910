"""Links that don't work for readers are found, and the others aren't (I3)."""

from __future__ import annotations

import pytest

from newsletter.lib.writing.links import Link, LinkFault, faults_of, links_in

SITE = "https://news.example.org"


@pytest.mark.parametrize(
    ("href", "fault"),
    [
        ("", LinkFault.EMPTY),
        ("#", LinkFault.EMPTY),
        ("articles/x/", LinkFault.RELATIVE),
        ("/admin/editorial/article/7/change/", LinkFault.PRIVATE),
        ("www.example.org/page", LinkFault.RELATIVE),
        ("data:text/html,x", LinkFault.SCHEME),
        ("file:///home/editor/draft.docx", LinkFault.SCHEME),
        (f"{SITE}/admin/editorial/article/7/change/", LinkFault.PRIVATE),
        (f"{SITE}/be/preferences/abc123/", LinkFault.PRIVATE),
        (f"{SITE}/u/abc123/", LinkFault.PRIVATE),
        ("http://localhost:8000/be/", LinkFault.LOCAL),
        ("http://192.168.1.4/", LinkFault.LOCAL),
        ("https://bit.ly/3abc", LinkFault.SHORTENER),
        ("https://tut.bу/news/", LinkFault.LOOKALIKE),
    ],
)
def test_an_address_that_readers_cannot_use_is_found(href: str, fault: LinkFault) -> None:
    assert faults_of(Link(href, "the budget of 2026"), site=SITE) == [fault]


@pytest.mark.parametrize(
    "href",
    [
        "https://example.org/page?id=1#part",
        f"{SITE}/be/articles/budget/",
        "/be/articles/budget/",
        "mailto:desk@news.example.org",
        "tel:+3222222222",
        "#note-1",
        "https://пошта.бел/",
    ],
)
def test_a_sound_link_is_left_alone(href: str) -> None:
    assert faults_of(Link(href, "the budget of 2026"), site=SITE) == []


@pytest.mark.parametrize(
    "words", ["here", "Read more …", "тут", "Чытаць далей", "здесь", "«Ссылка»"]
)
def test_words_that_say_nothing_are_found(words: str) -> None:
    assert faults_of(Link("https://example.org/", words), site=SITE) == [LinkFault.VAGUE]


def test_links_are_read_with_all_their_words() -> None:
    html = '<p><a href="https://a.example/">The <strong>budget</strong></a> and <a>none</a></p>'
    assert links_in(html) == [Link("https://a.example/", "The budget"), Link("", "none")]
