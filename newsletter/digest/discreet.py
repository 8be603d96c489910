"""A digest that does not show whose it is: in a list of mails, on a locked screen, in a log.

Name, subject, preheader and links are neutral; the texts are the editors' own. Pure.
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

NEUTRAL_ACCENT = "#44505c"
_LINK_TAGS = re.compile(r"</?a\b[^>]*>", re.IGNORECASE)


def neutral_newsletter(newsletter: Newsletter, *, name: str, site_url: str) -> Newsletter:
    """The newsletter under a name that says nothing, without logo, colour, footer and address."""
    head = Branding(newsroom=name, newsletter=name, sender_name=name)
    return replace(
        newsletter,
        slug="letter",
        branding_by_language=dict.fromkeys(newsletter.branding_by_language, head),
        site_url=site_url,
        accent=NEUTRAL_ACCENT,
        logo=None,
    )


def neutral_issue(
    issue: Issue, *, name: str, view_url: str, languages: Iterable[str], today: date
) -> Issue:
    """The issue with a subject and a preheader that say nothing, and no link but `view_url`.

    `languages` are all in which a subject may be looked for.
    """
    found = {code for article in issue.articles for code in article.texts}
    return replace(
        issue,
        articles=tuple(_neutral_article(each, view_url) for each in issue.articles),
        texts={
            code: _neutral_text(issue, code, name=name, today=today)
            for code in {*languages, *issue.texts, *found}
        },
        urls={},
    )


def _neutral_text(issue: Issue, language: str, *, name: str, today: date) -> IssueText:
    period = period_name(issue, language, today=today)
    with override(language):
        # Long enough that nothing is added to it (A14).
        preheader = (
            _("Your monthly email: %(month)s.") % {"month": period}
            if issue.period == "month"
            else _("Your weekly email: %(week)s.") % {"week": period}
        )
    introduction = issue.texts.get(language, IssueText()).introduction
    return IssueText(f"{name}, {period}", preheader, _LINK_TAGS.sub("", introduction))


def _neutral_article(article: Article, view_url: str) -> Article:
    texts = {code: _without_links(text, view_url) for code, text in article.texts.items()}
    return replace(article, texts=texts, picture=None)


def _without_links(text: ArticleText, view_url: str) -> ArticleText:
    return replace(text, body=_LINK_TAGS.sub("", text.body), url=view_url)
