"""Which articles a group of readers gets, and who shares an edition."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest.assemble import assemble
from newsletter.digest.content import Article, EditionOptions, IssueText, Selection
from newsletter.digest.languages import pick
from tests.digest.cast import RIVER, SECURITY, options, write_article, write_issue

LANGUAGES = ["en", "be", "ru", "ka"]


def select(*articles: Article, want: EditionOptions) -> Selection:
    selection = assemble(write_issue(*articles), want)
    assert selection is not None
    return selection


def test_each_article_comes_in_the_first_language_it_has() -> None:
    both, russian = write_article(1, "en", "be", "ru"), write_article(2, "ru")
    selection = select(both, russian, want=options("be", "ru"))
    assert [(e.article.id, e.language, e.is_fallback) for e in selection.entries] == [
        (1, "be", False),
        (2, "ru", True),
    ]
    assert selection.unavailable == ()


def test_what_they_cannot_read_is_named_in_its_own_language() -> None:
    selection = select(
        write_article(1, "be"), write_article(2, "en", "ka"), want=options("be", "ru")
    )
    assert [(e.article.id, e.language) for e in selection.unavailable] == [(2, "en")]


def test_nothing_to_read_is_no_edition() -> None:
    """Nothing left to read is skipped, never an empty mail."""
    assert assemble(write_issue(write_article(1, "en")), options("be")) is None
    assert assemble(write_issue(), options("be")) is None
    assert assemble(write_issue(write_article(1)), options("be")) is None


def test_only_chosen_topics_and_what_has_none() -> None:
    selection = select(
        write_article(1, "en", topic=RIVER),
        write_article(2, "en", topic=SECURITY),
        write_article(3, "en"),
        write_article(4, "be", topic=SECURITY),
        want=options("en", topics=frozenset({RIVER.id})),
    )
    assert [e.article.id for e in selection.entries] == [1, 3]
    assert selection.unavailable == ()


def test_readers_for_whom_it_comes_to_the_same_share_an_edition() -> None:
    articles = write_article(1, "be", "ru", topic=RIVER), write_article(2, "be", topic=RIVER)
    key = select(*articles, want=options("be")).key
    assert select(*articles, want=options("be", "ru")).key == key
    assert select(*articles, want=options("be", topics=frozenset({RIVER.id}))).key == key
    assert select(*articles, want=options("ru", "be", page_language="be")).key != key


def test_what_changes_the_mail_changes_the_key() -> None:
    articles = write_article(1, "be"), write_article(2, "en")
    variations: list[dict[str, Any]] = [
        {},
        {"page_language": "ru"},
        {"amount": "complete"},
        {"pictures": "none"},
        {"pictures": "linked"},
        {"plain_text": True},
        {"discreet": True},
    ]
    keys = {select(*articles, want=options("be", **each)).key for each in variations}
    keys.add(select(*articles[:1], want=options("be")).key)
    keys.add(select(*reversed(articles), want=options("en", "be")).key)
    assert len(keys) == len(variations) + 2
    assert all(len(key) == 64 for key in keys)


def test_a_label_changes_the_key() -> None:
    """The same article in the same language, labelled for those who prefer another."""
    article = write_article(1, "ru")
    labelled = select(article, want=options("be", "ru", page_language="ru"))
    assert labelled.key != select(article, want=options("ru")).key


def test_pictures_make_no_difference_to_plain_text() -> None:
    article = write_article(1, "be")
    keys = {
        select(article, want=options("be", plain_text=True, pictures=each)).key
        for each in ("none", "embedded", "linked")
    }
    assert len(keys) == 1


chains = st.lists(st.sampled_from(LANGUAGES), min_size=1, unique=True)
languages = st.lists(st.sampled_from(LANGUAGES), unique=True)


@given(chain=chains, issue=st.lists(languages, max_size=6))
def test_every_article_is_shown_once_or_named_once(
    chain: list[str], issue: list[list[str]]
) -> None:
    articles = [write_article(n, *each) for n, each in enumerate(issue)]
    selection = assemble(write_issue(*articles), options(*chain))
    if selection is None:
        assert not any(set(chain) & set(each) for each in issue)
        return
    shown = [entry.article.id for entry in selection.entries]
    named = [entry.article.id for entry in selection.unavailable]
    assert shown == [n for n, each in enumerate(issue) if set(chain) & set(each)]
    assert named == [n for n, each in enumerate(issue) if each and not set(chain) & set(each)]
    for entry in selection.entries:
        better = chain[: chain.index(entry.language)]
        assert not set(better) & set(entry.article.texts)
        assert entry.is_fallback == bool(better)


@given(chain=chains, other=chains, issue=st.lists(languages, min_size=1, max_size=5))
def test_equal_keys_mean_equal_contents(
    chain: list[str], other: list[str], issue: list[list[str]]
) -> None:
    articles = [write_article(n, *each) for n, each in enumerate(issue)]
    one = assemble(write_issue(*articles), options(*chain, page_language="en"))
    two = assemble(write_issue(*articles), options(*other, page_language="en"))
    if one and two:
        same = (one.entries, one.unavailable) == (two.entries, two.unavailable)
        assert same == (one.key == two.key)


@given(chain=chains, available=languages)
def test_pick_is_the_first_available(chain: list[str], available: list[str]) -> None:
    expected = [language for language in chain if language in available]
    assert pick(chain, available) == (expected[0] if expected else None)


def test_readers_of_another_introduction_get_another_edition() -> None:
    article = write_article(1, "be")
    issue = write_issue(article, texts={"ru": IssueText(introduction="<p>Вступление</p>")})
    one, two = (assemble(issue, options(*chain)) for chain in (("be",), ("be", "ru")))
    assert one is not None
    assert two is not None
    assert (one.introduction, two.introduction) == ("", "ru")
    assert one.key != two.key
