"""View models of issues, and the archive by year and month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import groupby

from babel.dates import format_date
from django.urls import reverse
from django.utils.text import capfirst

from newsletter.digest.dates import week_range
from newsletter.digest.languages import pick_or_any
from newsletter.editorial.models import Issue, IssueTranslation
from newsletter.lib.languages import direction
from newsletter.web.rich_text import page_html


@dataclass(frozen=True)
class IssueView:
    """An issue as shown on a page in one language."""

    issue: Issue
    newsletter: str
    dates: str
    title: str
    """Its subject in the page's language, or ""."""
    stored_introduction: str
    introduction_language: str

    @cached_property
    def introduction(self) -> str:
        """The introduction as HTML for a page. Lists of issues don't need it."""
        return page_html(self.stored_introduction, language=self.introduction_language)

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
    """Return the issue's view model. No queries if the issue was loaded `with_texts`."""
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
        stored_introduction=introduction,
        introduction_language=code,
    )


def _introduction(texts: dict[str, IssueTranslation], chain: Sequence[str]) -> tuple[str, str]:
    """Return (language, HTML) of the introduction in the best language available."""
    written = {code: text.introduction for code, text in texts.items() if text.introduction}
    code = pick_or_any(chain, written)
    return (code, written[code]) if code else (chain[0], "")


@dataclass(frozen=True)
class ArchiveMonth:
    name: str
    issues: tuple[IssueView, ...]


@dataclass(frozen=True)
class ArchiveYear:
    number: int
    months: tuple[ArchiveMonth, ...]


def group_by_month(issues: Iterable[IssueView], language: str) -> list[ArchiveYear]:
    """Group the issues, in the given order, by the year and month in which they end."""
    years = []
    for number, issues_of_year in groupby(issues, key=lambda view: view.issue.ends_on.year):
        months = groupby(issues_of_year, key=lambda view: view.issue.ends_on.month)
        years.append(
            ArchiveYear(
                number,
                tuple(
                    ArchiveMonth(month_heading(date(number, month, 1), language), tuple(views))
                    for month, views in months
                ),
            )
        )
    return years


def month_heading(day: date, language: str) -> str:
    """Return the stand-alone name of the month ("Ліпень", not "ліпеня")."""
    return capfirst(format_date(day, "LLLL", locale=language.replace("-", "_")))
