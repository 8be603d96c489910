"""Labels around articles, each in the language of the text beside it.

A Belarusian reader who is shown a Russian article reads "Фото" under its picture and "Фота"
elsewhere, so every function takes the language instead of relying on the active one. Languages
without a catalog get labels in the site's default language.
"""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from newsletter.digest.content import Credit, Issue, Period, Status
from newsletter.digest.dates import month_name, week_range
from newsletter.lib.language_rules import rules_for
from newsletter.lib.languages import language_name_in


def page_labels(language: str, *, newsletter: str) -> dict[str, str]:
    """Return the labels above and below the articles, by their names in the templates."""
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
    """Return the issue's week, "July 24 – July 30, 2017", or its month, "July 2017"."""
    if issue.period == "month":
        return month_name(issue.starts_on, language)
    return week_range(issue.starts_on, issue.ends_on, language, today=today)


def article_count(n: int, language: str, *, period: Period = "week") -> str:
    """Return "5 articles in this issue", or "5 articles" for a month."""
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
    """Return "Photo: 4esnok.by" in `language`."""
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


def picture(description: str, language: str) -> str:
    """Return what stands for a picture inside a text: "Picture: two people at a table"."""
    with override(language):
        if not description:
            return _("Picture")
        return _("Picture: %(description)s") % {"description": description}


def table(language: str) -> str:
    """Return the accessible name of a table without a caption."""
    with override(language):
        return _("Table")


def back_to_text(language: str) -> str:
    """Return the accessible name of the arrow after a footnote."""
    with override(language):
        return _("Back to the text")


def unavailable_label(article_language: str, language: str, *, period: Period = "week") -> str:
    """Return the words before the articles that exist in none of the reader's languages."""
    with override(language):
        pattern = (
            _("Also this month, %(in_language)s:")
            if period == "month"
            else _("Also this week, %(in_language)s:")
        )
    return pattern % {"in_language": language_label(article_language, language)}


def language_label(article_language: str, language: str) -> str:
    """Return "in Russian" in `language`, to mark an article in a fallback language.

    Languages that inflect have their phrases in newsletter.lib.language_rules. Without one, the
    name of the language comes from CLDR.
    """
    if phrase := rules_for(language).in_language.get(article_language):
        return phrase
    with override(settings.LANGUAGE_CODE):
        default = _("in %(language)s")
    with override(language):
        pattern = _("in %(language)s")
    # Without a catalog the phrase is in the default language, and so the name has to be as well.
    sentence_language = settings.LANGUAGE_CODE if pattern == default else language
    return pattern % {"language": language_name_in(article_language, sentence_language)}
