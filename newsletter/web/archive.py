"""Issues: which are public, the latest, the archive by year and month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import format_date
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.text import capfirst

from newsletter.digest.dates import week_range
from newsletter.editorial.models import Article, Issue, IssueTranslation, Newsletter
from newsletter.lib.languages import direction
from newsletter.web.articles import chain_of, ready_texts
from newsletter.web.languages import best


def public_issues(at: datetime) -> QuerySet[Issue]:
    """Approved issues with a public article; newest first. Three queries to show any number."""
    articles = Article.objects.filter(
        Exists(ready_texts().filter(article=OuterRef("pk"))),
        issue=OuterRef("pk"),
        published_at__lte=at,
    )
    approved = Issue.objects.filter(Exists(articles), state=Issue.State.APPROVED)
    return with_parts(approved.exclude(kind=Issue.Kind.BREAK))


def with_parts(issues: QuerySet[Issue]) -> QuerySet[Issue]:
    return (
        issues.select_related("newsletter")
        .prefetch_related("translations", "newsletter__translations")
        .order_by("-ends_on", "-pk")
    )


def counted(issues: QuerySet[Issue], at: datetime) -> QuerySet[Issue]:
    """With `article_count`, the number of public articles."""
    ready = Exists(ready_texts().filter(article=OuterRef("articles__pk")))
    return issues.annotate(
        article_count=Count(
            "articles", filter=Q(ready, articles__published_at__lte=at), distinct=True
        )
    )


def visible_issues(at: datetime, *, staff: bool) -> QuerySet[Issue]:
    if staff:
        return with_parts(Issue.objects.exclude(kind=Issue.Kind.BREAK))
    return public_issues(at)


def latest_issue(at: datetime) -> Issue | None:
    return public_issues(at).first()


def find(issues: QuerySet[Issue], newsletter: str, key: str) -> Issue | None:
    """The issue that an address names: by its Monday or, for a special one, its slug."""
    among = issues.filter(newsletter__slug=newsletter)
    try:
        monday = date.fromisoformat(key)
    except ValueError:
        return among.filter(kind=Issue.Kind.SPECIAL, slug=key).first()
    if monday.isoformat() != key:
        return None  # such as 20170724: one issue has one address
    return among.exclude(kind=Issue.Kind.SPECIAL).filter(starts_on=monday).first()


@dataclass(frozen=True)
class ShownIssue:
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


def show_issue(issue: Issue, language: str, *, at: datetime) -> ShownIssue:
    """Costs no query where `with_parts` loaded the issue."""
    chain = chain_of(issue.newsletter, language)
    texts = {text.language: text for text in issue.translations.all()}
    own = texts.get(language)
    code, introduction = _introduction(texts, chain)
    today = at.astimezone(ZoneInfo(issue.newsletter.timezone)).date()
    return ShownIssue(
        issue=issue,
        newsletter=newsletter_name(issue.newsletter, chain),
        dates=week_range(issue.starts_on, issue.ends_on, language, today=today),
        title=own.subject if own else "",
        introduction=introduction,
        introduction_language=code,
    )


def _introduction(texts: dict[str, IssueTranslation], chain: Sequence[str]) -> tuple[str, str]:
    written = {code: text.introduction for code, text in texts.items() if text.introduction}
    code = best(chain, written)
    return (code, written[code]) if code else (chain[0], "")


def newsletter_name(newsletter: Newsletter, chain: Sequence[str]) -> str:
    names = {each.language: each.name for each in newsletter.translations.all()}
    code = best(chain, names)
    return names[code] if code else newsletter.slug


@dataclass(frozen=True)
class Month:
    name: str
    issues: tuple[ShownIssue, ...]


@dataclass(frozen=True)
class Year:
    number: int
    months: tuple[Month, ...]


def by_month(issues: Iterable[ShownIssue], language: str) -> list[Year]:
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
