"""Assembling: which articles a group of readers gets, and which groups share an edition."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest.assemble import assemble
from newsletter.digest.content import Article, EditionOptions, IssueText, Selection
from newsletter.digest.languages import pick
from tests.digest.cast import RIVER, SECURITY, edition_options, write_article, write_issue

LANGUAGES = ["en", "be", "ru", "ka"]


def select(*articles: Article, options: EditionOptions) -> Selection:
    selection = assemble(write_issue(*articles), options)
    assert selection is not None
    return selection


def test_an_article_is_shown_in_the_readers_first_available_language() -> None:
    both, russian = write_article(1, "en", "be", "ru"), write_article(2, "ru")
    selection = select(both, russian, options=edition_options("be", "ru"))
    assert [(e.article.id, e.language, e.is_fallback) for e in selection.articles] == [
        (1, "be", False),
        (2, "ru", True),
    ]
    assert selection.unavailable == ()


def test_an_article_in_none_of_the_readers_languages_is_listed_in_its_own() -> None:
    selection = select(
        write_article(1, "be"), write_article(2, "en", "ka"), options=edition_options("be", "ru")
    )
    assert [(e.article.id, e.language) for e in selection.unavailable] == [(2, "en")]


def test_without_a_readable_article_there_is_no_edition() -> None:
    assert assemble(write_issue(write_article(1, "en")), edition_options("be")) is None
    assert assemble(write_issue(), edition_options("be")) is None
    assert assemble(write_issue(write_article(1)), edition_options("be")) is None


def test_readers_get_their_topics_and_articles_without_a_topic() -> None:
    selection = select(
        write_article(1, "en", topic=RIVER),
        write_article(2, "en", topic=SECURITY),
        write_article(3, "en"),
        write_article(4, "be", topic=SECURITY),
        options=edition_options("en", topics=frozenset({RIVER.id})),
    )
    assert [e.article.id for e in selection.articles] == [1, 3]
    assert selection.unavailable == ()


def test_readers_with_equal_results_share_an_edition() -> None:
    articles = write_article(1, "be", "ru", topic=RIVER), write_article(2, "be", topic=RIVER)
    key = select(*articles, options=edition_options("be")).key
    assert select(*articles, options=edition_options("be", "ru")).key == key
    assert select(*articles, options=edition_options("be", topics=frozenset({RIVER.id}))).key == key
    assert select(*articles, options=edition_options("ru", "be", page_language="be")).key != key


def test_every_option_that_changes_the_email_changes_the_key() -> None:
    articles = write_article(1, "be"), write_article(2, "en")
    variations: list[dict[str, Any]] = [
        {},
        {"page_language": "ru"},
        {"length": "full"},
        {"pictures": "none"},
        {"pictures": "linked"},
        {"plain_text": True},
        {"discreet": True},
    ]
    keys = {select(*articles, options=edition_options("be", **each)).key for each in variations}
    keys.add(select(*articles[:1], options=edition_options("be")).key)
    keys.add(select(*reversed(articles), options=edition_options("en", "be")).key)
    assert len(keys) == len(variations) + 2
    assert all(len(key) == 64 for key in keys)


def test_a_language_label_changes_the_key() -> None:
    """The same article in the same language has a label for readers who prefer another."""
    article = write_article(1, "ru")
    labelled = select(article, options=edition_options("be", "ru", page_language="ru"))
    assert labelled.key != select(article, options=edition_options("ru")).key


def test_the_pictures_option_does_not_matter_for_plain_text() -> None:
    article = write_article(1, "be")
    keys = {
        select(article, options=edition_options("be", plain_text=True, pictures=each)).key
        for each in ("none", "embedded", "linked")
    }
    assert len(keys) == 1


chains = st.lists(st.sampled_from(LANGUAGES), min_size=1, unique=True)
languages = st.lists(st.sampled_from(LANGUAGES), unique=True)


@given(chain=chains, issue=st.lists(languages, max_size=6))
def test_every_readable_article_is_shown_and_all_others_are_listed(
    chain: list[str], issue: list[list[str]]
) -> None:
    articles = [write_article(n, *each) for n, each in enumerate(issue)]
    selection = assemble(write_issue(*articles), edition_options(*chain))
    if selection is None:
        assert not any(set(chain) & set(each) for each in issue)
        return
    shown = [selected.article.id for selected in selection.articles]
    listed = [selected.article.id for selected in selection.unavailable]
    assert shown == [n for n, each in enumerate(issue) if set(chain) & set(each)]
    assert listed == [n for n, each in enumerate(issue) if each and not set(chain) & set(each)]
    for selected in selection.articles:
        preferred = chain[: chain.index(selected.language)]
        assert not set(preferred) & set(selected.article.texts)
        assert selected.is_fallback == bool(preferred)


@given(chain=chains, other=chains, issue=st.lists(languages, min_size=1, max_size=5))
def test_keys_are_equal_exactly_if_the_contents_are(
    chain: list[str], other: list[str], issue: list[list[str]]
) -> None:
    articles = [write_article(n, *each) for n, each in enumerate(issue)]
    one = assemble(write_issue(*articles), edition_options(*chain, page_language="en"))
    two = assemble(write_issue(*articles), edition_options(*other, page_language="en"))
    if one and two:
        same = (one.articles, one.unavailable) == (two.articles, two.unavailable)
        assert same == (one.key == two.key)


@given(chain=chains, available=languages)
def test_pick_returns_the_first_available_language(chain: list[str], available: list[str]) -> None:
    expected = [language for language in chain if language in available]
    assert pick(chain, available) == (expected[0] if expected else None)


def test_a_different_introduction_makes_a_different_edition() -> None:
    article = write_article(1, "be")
    issue = write_issue(article, texts={"ru": IssueText(introduction="<p>Вступление</p>")})
    one, two = (assemble(issue, edition_options(*chain)) for chain in (("be",), ("be", "ru")))
    assert one is not None
    assert two is not None
    assert (one.introduction_language, two.introduction_language) == ("", "ru")
    assert one.key != two.key
