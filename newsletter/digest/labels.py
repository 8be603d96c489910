"""The words around articles, in the language of whatever they stand beside.

A reader of Belarusian who is shown a Russian article reads "Фото" under its picture and "Фота"
elsewhere: so each function takes its language, and does not rely on the active one. A language
without a catalogue gets English words.
"""

from __future__ import annotations

from datetime import date

from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _

from newsletter.digest.content import Credit, Issue, Period, Status
from newsletter.digest.dates import month_name, week_range
from newsletter.lib.languages import language_name_in


def page_labels(language: str, *, newsletter: str) -> dict[str, str]:
    """What stands around all articles, by the name that templates use."""
    with override(language):
        return {
            "view": _("View in browser"),
            "unsubscribe": _("Unsubscribe"),
            "preferences": _("Manage preferences"),
            "on_site": _("Read this issue on our site"),
            "more": _("Also this month:"),
            "why": _("You’re receiving this because you subscribed to “%(newsletter)s”.")
            % {"newsletter": newsletter},
        }


def period_name(issue: Issue, language: str, *, today: date) -> str:
    """Its week, "July 24 – July 30, 2017", or its month, "July 2017"."""
    if issue.period == "month":
        return month_name(issue.starts_on, language)
    return week_range(issue.starts_on, issue.ends_on, language, today=today)


def article_count(n: int, language: str, *, period: Period = "week") -> str:
    """ "5 articles in this issue"."""
    with override(language):
        if period == "month":
            return ngettext("%(number)s article", "%(number)s articles", n) % {"number": n}
        return ngettext("%(n)s article in this issue", "%(n)s articles in this issue", n) % {"n": n}


def status_label(status: Status, language: str) -> str:
    with override(language):
        match status:
            case "improved":
                return _("the situation has improved")
            case "unchanged":
                return _("the situation has not changed")
            case "worsened":
                return _("the situation has worsened")


def credit_line(credit: Credit, language: str) -> str:
    """ "Photo: 4esnok.by", in `language`."""
    with override(language):
        match credit.kind:
            case "photo":
                pattern = _("Photo: %(name)s")
            case "image":
                pattern = _("Image: %(name)s")
            case "graphic":
                pattern = _("Graphic: %(name)s")
        return pattern % {"name": credit.name}


def byline(authors: str, language: str) -> str:
    with override(language):
        return _("By %(authors)s") % {"authors": authors}


def read_more(language: str) -> str:
    with override(language):
        return _("Read more")


def unavailable_label(article_language: str, language: str, *, period: Period = "week") -> str:
    """What introduces the articles that are in none of the reader's languages."""
    with override(language):
        pattern = (
            _("Also this month, %(in_language)s:")
            if period == "month"
            else _("Also this week, %(in_language)s:")
        )
        return pattern % {"in_language": _in_language(article_language)}


def language_label(article_language: str, language: str) -> str:
    """ "in Russian", beside an article that is not in the reader's first language."""
    with override(language):
        return _in_language(article_language)


def _in_language(code: str) -> str:
    match code:
        case "en":
            return _("in English")
        case "be":
            return _("in Belarusian")
        case "ru":
            return _("in Russian")
    name = language_name_in(code, get_language() or code)
    return _("in another language (%(language)s)") % {"language": name}
