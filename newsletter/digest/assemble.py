"""Selection and order: what a group of readers gets of an issue. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace

from newsletter.digest.content import Article, EditionOptions, Issue, SelectedArticle, Selection
from newsletter.digest.languages import pick

MAX_LEADS = 25
"""Articles of a round-up that show their lead; of others the headline stands. Forty in all, with
leads of 400 Cyrillic letters, stay below 90 KB of HTML; Gmail clips at 102 (A11)."""


def assemble(issue: Issue, options: EditionOptions) -> Selection | None:
    """The articles for `wants`, in the editors' order; None where there is nothing to read.

    An article is shown in the first language of the readers' chain that it has. One of a topic
    they chose in none of their languages is named `elsewhere`, in its own first language.
    """
    if issue.period == "month":
        options = _of_a_round_up(options)
    entries: list[SelectedArticle] = []
    unavailable: list[SelectedArticle] = []
    for article in _of_topics(issue.articles, options.topics):
        language = pick(options.chain, article.texts)
        if language is not None:
            entries.append(
                SelectedArticle(article, language, is_fallback=language != options.chain[0])
            )
        elif article.texts:
            unavailable.append(
                SelectedArticle(article, next(iter(article.texts)), is_fallback=True)
            )
    if not entries:
        return None
    if issue.period == "month" and options.length == "lead":
        entries = [replace(each, is_brief=at >= MAX_LEADS) for at, each in enumerate(entries)]
    introduced = [code for code, text in issue.texts.items() if text.introduction]
    introduction = pick((options.page_language, *options.chain), introduced) or ""
    return Selection(
        options=options,
        language=options.page_language,
        entries=tuple(entries),
        unavailable=tuple(unavailable),
        introduction=introduction,
        key=_key(entries, unavailable, introduction, options),
    )


def _of_a_round_up(options: EditionOptions) -> EditionOptions:
    """Leads without pictures, as a month's complete texts and pictures are too much for a mail.

    A discreet mail has no link to the site, so it holds the texts all the same.
    """
    return replace(options, length="complete" if options.discreet else "lead", pictures="none")


def _of_topics(articles: Iterable[Article], topics: frozenset[int] | None) -> Iterable[Article]:
    """Articles of the chosen topics; one without a topic belongs to everybody."""
    return (
        article
        for article in articles
        if topics is None or article.topic is None or article.topic.id in topics
    )


def _key(
    entries: list[SelectedArticle],
    unavailable: list[SelectedArticle],
    introduction: str,
    options: EditionOptions,
) -> str:
    """Hash of what is resolved to, not of what was asked for: `render` reads nothing else.

    Readers of (be) and of (be, ru) share an edition where every article is in Belarusian.
    """
    resolved = {
        "entries": [(each.article.id, each.language, each.is_fallback) for each in entries],
        "elsewhere": [(each.article.id, each.language) for each in unavailable],
        "introduction": introduction,
        "page": options.page_language,
        "amount": options.length,
        "pictures": "none" if options.plain_text else options.pictures,
        "plain": options.plain_text,
        "discreet": options.discreet,
    }
    text = json.dumps(resolved, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
