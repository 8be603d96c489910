"""Choose what a group of readers gets of an issue, and in which language. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace

from newsletter.digest.content import Article, EditionOptions, Issue, SelectedArticle, Selection
from newsletter.digest.languages import pick

MAX_LEADS = 25
"""Articles of a round-up that show their lead; the rest show only the headline. Forty articles with
leads of 400 Cyrillic letters then take less than 90 KB of HTML. Gmail clips at 102 KB (A11)."""


def assemble(issue: Issue, options: EditionOptions) -> Selection | None:
    """Return the articles for `options` in the editors' order, or None if none can be read.

    Each article is shown in the first language of the readers' chain in which it exists. Articles
    on the chosen topics that exist in none of these languages are `unavailable`, and listed in
    their own first language.
    """
    if issue.period == "month":
        options = _round_up_options(options)
    articles: list[SelectedArticle] = []
    unavailable: list[SelectedArticle] = []
    for article in _on_topics(issue.articles, options.topics):
        language = pick(options.chain, article.texts)
        if language is not None:
            is_fallback = language != options.chain[0]
            articles.append(SelectedArticle(article, language, is_fallback=is_fallback))
        elif article.texts:
            first_language = next(iter(article.texts))
            unavailable.append(SelectedArticle(article, first_language, is_fallback=True))
    if not articles:
        return None
    if issue.period == "month" and options.length == "lead":
        articles = [
            replace(selected, headline_only=index >= MAX_LEADS)
            for index, selected in enumerate(articles)
        ]
    with_introduction = [code for code, text in issue.texts.items() if text.introduction]
    introduction = pick((options.page_language, *options.chain), with_introduction) or ""
    return Selection(
        options=options,
        language=options.page_language,
        articles=tuple(articles),
        unavailable=tuple(unavailable),
        introduction_language=introduction,
        key=_key(articles, unavailable, introduction, options),
    )


def _round_up_options(options: EditionOptions) -> EditionOptions:
    """Return options for leads without pictures: a month of full texts is too long for an email.

    A discreet email can't link to the site, so it contains the full texts anyway.
    """
    return replace(options, length="full" if options.discreet else "lead", pictures="none")


def _on_topics(articles: Iterable[Article], topics: frozenset[int] | None) -> Iterable[Article]:
    """Yield the articles on `topics` (None for all), and those that have no topic."""
    return (
        article
        for article in articles
        if topics is None or article.topic is None or article.topic.id in topics
    )


def _key(
    articles: list[SelectedArticle],
    unavailable: list[SelectedArticle],
    introduction_language: str,
    options: EditionOptions,
) -> str:
    """Return a hash of everything that `render` depends on, which is the outcome of the options.

    If every article is in Belarusian, readers of (be) and of (be, ru) share an edition.
    """
    resolved = {
        "articles": [(each.article.id, each.language, each.is_fallback) for each in articles],
        "unavailable": [(each.article.id, each.language) for each in unavailable],
        "introduction": introduction_language,
        "page": options.page_language,
        "length": options.length,
        "pictures": "none" if options.plain_text else options.pictures,
        "plain_text": options.plain_text,
        "discreet": options.discreet,
    }
    text = json.dumps(resolved, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
