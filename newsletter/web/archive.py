"""Issues as pages show them, and the archive by year and month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from babel.dates import format_date
from django.urls import reverse
from django.utils.text import capfirst

from newsletter.digest.dates import week_range
from newsletter.digest.languages import pick_or_any
from newsletter.editorial.models import Issue, IssueTranslation
from newsletter.lib.languages import direction


@dataclass(frozen=True)
class IssueView:
    """An issue as a page in one language shows it."""

    issue: Issue
    newsletter: str
    dates: str
    title: str
    """Its subject in the page's language; "" where it has none."""
    introduction: str
    """Clean HTML."""
    introduction_language: str

    @property
    def url(self) -> str:
        kwargs = {"newsletter": self.issue.newsletter.slug, "key": self.issue.key}
        return reverse("web:issue", kwargs=kwargs)

    @property
    def introduction_direction(self) -> str:
        return direction(self.introduction_language)

    @property
    def is_special(self) -> bool:
        return self.issue.kind == Issue.Kind.SPECIAL


def issue_view(issue: Issue, language: str, *, at: datetime) -> IssueView:
    """Costs no query if the issue was loaded `with_texts`."""
    chain = issue.newsletter.chain_for(language)
    texts = issue.texts()
    own = texts.get(language)
    code, introduction = _introduction(texts, chain)
    today = issue.newsletter.local_date(at)
    return IssueView(
        issue=issue,
        newsletter=issue.newsletter.name_in(language),
        dates=week_range(issue.starts_on, issue.ends_on, language, today=today),
        title=own.subject if own else "",
        introduction=introduction,
        introduction_language=code,
    )


def _introduction(texts: dict[str, IssueTranslation], chain: Sequence[str]) -> tuple[str, str]:
    written = {code: text.introduction for code, text in texts.items() if text.introduction}
    code = pick_or_any(chain, written)
    return (code, written[code]) if code else (chain[0], "")


@dataclass(frozen=True)
class Month:
    name: str
    issues: tuple[IssueView, ...]


@dataclass(frozen=True)
class Year:
    number: int
    months: tuple[Month, ...]


def by_month(issues: Iterable[IssueView], language: str) -> list[Year]:
    """The issues, in the order given, under the year and month in which they end."""
    years = []
    for number, of_year in groupby(issues, key=lambda each: each.issue.ends_on.year):
        months = groupby(of_year, key=lambda each: each.issue.ends_on.month)
        years.append(
            Year(
                number,
                tuple(
                    Month(month_name(date(number, month, 1), language), tuple(entries))
                    for month, entries in months
                ),
            )
        )
    return years


def month_name(day: date, language: str) -> str:
    """The month by itself ("Ліпень", not "ліпеня")."""
    return capfirst(format_date(day, "LLLL", locale=language.replace("-", "_")))
