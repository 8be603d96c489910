"""Selection and order: what a group of readers gets of an issue. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace

from newsletter.digest.content import Article, Entry, Issue, Selection, Wants
from newsletter.digest.languages import pick

LEADS = 25
"""Articles of a round-up that show their lead; of others the headline stands. Forty in all, with
leads of 400 Cyrillic letters, stay below 90 KB of HTML; Gmail clips at 102 (A11)."""


def assemble(issue: Issue, wants: Wants) -> Selection | None:
    """The articles for `wants`, in the editors' order; None where there is nothing to read.

    An article is shown in the first language of the readers' chain that it has. One of a topic
    they chose in none of their languages is named `elsewhere`, in its own first language.
    """
    if issue.period == "month":
        wants = _of_a_round_up(wants)
    entries: list[Entry] = []
    elsewhere: list[Entry] = []
    for article in _of_topics(issue.articles, wants.topics):
        language = pick(wants.chain, article.texts)
        if language is not None:
            entries.append(Entry(article, language, is_fallback=language != wants.chain[0]))
        elif article.texts:
            elsewhere.append(Entry(article, next(iter(article.texts)), is_fallback=True))
    if not entries:
        return None
    if issue.period == "month" and wants.amount == "lead":
        entries = [replace(each, is_brief=at >= LEADS) for at, each in enumerate(entries)]
    introduced = [code for code, text in issue.texts.items() if text.introduction]
    introduction = pick((wants.page_language, *wants.chain), introduced) or ""
    return Selection(
        wants=wants,
        language=wants.page_language,
        entries=tuple(entries),
        elsewhere=tuple(elsewhere),
        introduction=introduction,
        key=_key(entries, elsewhere, introduction, wants),
    )


def _of_a_round_up(wants: Wants) -> Wants:
    """Leads without pictures, as a month's complete texts and pictures are too much for a mail.

    A discreet mail has no link to the site, so it holds the texts all the same.
    """
    return replace(wants, amount="complete" if wants.discreet else "lead", pictures="none")


def _of_topics(articles: Iterable[Article], topics: frozenset[int] | None) -> Iterable[Article]:
    """Articles of the chosen topics; one without a topic belongs to everybody."""
    return (
        article
        for article in articles
        if topics is None or article.topic is None or article.topic.id in topics
    )


def _key(entries: list[Entry], elsewhere: list[Entry], introduction: str, wants: Wants) -> str:
    """Hash of what is resolved to, not of what was asked for: `render` reads nothing else.

    Readers of (be) and of (be, ru) share an edition where every article is in Belarusian.
    """
    resolved = {
        "entries": [(each.article.id, each.language, each.is_fallback) for each in entries],
        "elsewhere": [(each.article.id, each.language) for each in elsewhere],
        "introduction": introduction,
        "page": wants.page_language,
        "amount": wants.amount,
        "pictures": "none" if wants.plain_text else wants.pictures,
        "plain": wants.plain_text,
        "discreet": wants.discreet,
    }
    text = json.dumps(resolved, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
