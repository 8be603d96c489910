"""Make a digest discreet: it reveals nothing in a list of emails, on a lock screen, or in a log.

The sender's name, subject, preheader and links are neutral; the articles stay as they are. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import override

from newsletter.digest.content import Article, ArticleText, Branding, Issue, IssueText, Newsletter
from newsletter.digest.labels import period_name
from newsletter.digest.render import MAX_PREHEADER

NEUTRAL_ACCENT = "#44505c"
_INVISIBLE = " \u034f"
"""A space and the invisible combining grapheme joiner, which keeps spaces from collapsing."""
_LINK_TAGS = re.compile(r"</?a\b[^>]*>", re.IGNORECASE)


def neutral_newsletter(newsletter: Newsletter, *, name: str, site_url: str) -> Newsletter:
    """Return the newsletter under a neutral name, without logo, accent, footer and address."""
    branding = Branding(newsroom=name, newsletter=name, sender_name=name)
    return replace(
        newsletter,
        slug="letter",
        branding_by_language=dict.fromkeys(newsletter.branding_by_language, branding),
        site_url=site_url,
        accent=NEUTRAL_ACCENT,
        logo=None,
    )


def neutral_issue(
    issue: Issue, *, name: str, view_url: str, languages: Iterable[str], today: date
) -> Issue:
    """Return the issue with a neutral subject and preheader, and no links but `view_url`.

    `languages` are those that may need a subject, besides the languages of the articles.
    """
    article_languages = {code for article in issue.articles for code in article.texts}
    return replace(
        issue,
        articles=tuple(_neutral_article(article, view_url) for article in issue.articles),
        texts={
            code: _neutral_text(issue, code, name=name, today=today)
            for code in {*languages, *issue.texts, *article_languages}
        },
        urls={},
    )


def _neutral_text(issue: Issue, language: str, *, name: str, today: date) -> IssueText:
    period = period_name(issue, language, today=today)
    with override(language):
        preheader = (
            _("Your monthly email: %(month)s.") % {"month": period}
            if issue.period == "month"
            else _("Your weekly email: %(week)s.") % {"week": period}
        )
    # Filled up, because email apps continue a short preview with the first headline (A14).
    preheader += _INVISIBLE * ((MAX_PREHEADER - len(preheader)) // len(_INVISIBLE))
    text = issue.texts.get(language, IssueText())
    introduction = _LINK_TAGS.sub("", text.introduction)
    return IssueText(f"{name}, {period}", preheader, introduction, text.pictures)


def _neutral_article(article: Article, view_url: str) -> Article:
    texts = {code: _without_links(text, view_url) for code, text in article.texts.items()}
    return replace(article, texts=texts, picture=None)


def _without_links(text: ArticleText, view_url: str) -> ArticleText:
    return replace(text, body=_LINK_TAGS.sub("", text.body), url=view_url)
