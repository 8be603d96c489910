"""Sixty pasted fragments keep their words in every place where a reader meets them.

Acceptance: cleaning → database → page of the site → HTML of the email → its text part → feed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from xml.etree import ElementTree

import pytest
from django.test import Client

from newsletter.digest.assemble import assemble
from newsletter.digest.content import EditionOptions, RenderedEmail
from newsletter.digest.render import render
from newsletter.editorial.cleaning import clean
from newsletter.editorial.content import issue_content, newsletter_content
from newsletter.editorial.models import ArticleTranslation, Issue
from tests.conftest import WriteArticle
from tests.rich_text.fragments import FRAGMENTS, Fragment
from tests.rich_text.visible import element_html, plain, words_of

CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_SIGNS = re.compile(r"^(?:> ?)*\s*(?:[*] |\d+\. |[a-z]\. |\[\d+\] |#+ )?", re.MULTILINE)


def test_there_are_sixty() -> None:
    assert len(FRAGMENTS) == 60


@pytest.mark.parametrize("name", FRAGMENTS)
def test_cleaning_keeps_words_and_structure(name: str) -> None:
    fragment = FRAGMENTS[name]
    cleaned = clean(fragment.html)
    assert words_of(cleaned.html) == plain(fragment.words)
    for part in fragment.keeps:
        assert part in cleaned.html
    again = clean(cleaned.html)
    assert (again.html, again.dropped) == (cleaned.html, ())


@pytest.mark.pages
@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_reader_finds_the_same_words_everywhere(
    name: str, client: Client, issue: Issue, write_article: WriteArticle
) -> None:
    fragment = FRAGMENTS[name]
    text = stored(fragment, issue, write_article)
    words = plain(fragment.words)
    assert words_of(text.body) == words

    page = client.get(text.get_absolute_url()).content.decode()
    body = element_html(page, "text")
    assert words_of(body)[len(words_of(text.lead)) :] == words

    feed = ElementTree.fromstring(client.get("/be/feed.xml").content)  # noqa: S314 - our own
    assert words_of(next(feed.iter(CONTENT)).text or "") == words

    email = edition(issue)
    around, end = words_of(email.html), len(words)
    assert any(around[n : n + end] == words for n in range(len(around)))
    in_text = text_words(email.text)
    assert any(in_text[n : n + end] == folded(words) for n in range(len(in_text)))


def stored(fragment: Fragment, issue: Issue, write_article: WriteArticle) -> ArticleTranslation:
    text = write_article(issue=issue, be="Загаловак").translations.get()
    text.body = fragment.html
    text.save()
    text.refresh_from_db()
    return text


def edition(issue: Issue) -> RenderedEmail:
    content = issue_content(issue, at=datetime(2017, 8, 2, tzinfo=UTC))
    options = EditionOptions(chain=("be",), page_language="be", length="full")
    selection = assemble(content, options)
    assert selection
    newsletter = newsletter_content(issue.newsletter)
    view_url = "https://news.example/view/"
    return render(newsletter, content, selection, view_url=view_url, today=date(2017, 8, 2))


def text_words(text: str) -> list[str]:
    """Return the words of a text part, without the signs that stand for its structure."""
    text = _SIGNS.sub("", text)
    text = re.sub(r"\(https?://[^)]*\)|\[\d+\]|~~", "", text)
    return [word for word in folded(text.split()) if word not in {"—", "|", "/", "*"}]


def folded(words: list[str]) -> list[str]:
    """Return the words with raised and lowered digits as plain ones, as in the HTML's text."""
    return unicodedata.normalize("NFKC", " ".join(words)).split()
