"""What the issue's page lists: articles with the state of each language, empty places, trends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Mailing
from newsletter.desk.issue_page.forms import TREND_CHOICES, IssueForm
from newsletter.editorial.models import Article, ArticleTranslation, Issue, Topic, Trend
from newsletter.editorial.revisions import is_stale
from newsletter.lib.languages import language_name_in

LOG_ENTRIES = 6
STATES: dict[str, tuple[str, str | Promise]] = {
    "ready": ("good", _("ready")),
    "review": ("review", _("in review")),
    "draft": ("draft", _("draft")),
    "behind": ("warn", _("older than the original")),
    "missing": ("none", _("missing")),
}
"""The tone and the word for each state of a translation."""


@dataclass(frozen=True)
class LanguageState:
    """How far an article is in one language."""

    code: str
    name: str
    state: str

    @property
    def tone(self) -> str:
        return STATES[self.state][0]

    @property
    def title(self) -> str:
        """In words: "Belarusian: in review"."""
        return f"{self.name}: {STATES[self.state][1]}"


@dataclass(frozen=True)
class ArticleRow:
    """An article in the order."""

    article: Article
    topic: str
    language: str
    """The language of the headline."""
    states: list[LanguageState]

    @property
    def thumbnail(self) -> str:
        picture = self.article.picture
        return picture.file.url if picture and picture.file else ""


@dataclass(frozen=True)
class LastTrend:
    """A topic's trend in the week before the issue; the status is "" if it had none."""

    status: str
    label: str | Promise


@dataclass(frozen=True)
class EmptyPlace:
    """A topic about which the issue has no article yet."""

    topic: Topic
    last: LastTrend


@dataclass(frozen=True)
class TrendRow:
    """A topic's trend, to be chosen."""

    field: object
    last: LastTrend


def article_rows(issue: Issue) -> list[ArticleRow]:
    rows = issue.articles.select_related("topic", "picture")
    rows = rows.prefetch_related("translations", "topic__translations")
    return [article_row(article, issue.newsletter.languages) for article in rows]


def article_row(article: Article, languages: Iterable[str]) -> ArticleRow:
    headline = article.any_text([article.original_language])
    return ArticleRow(
        article=article,
        topic=str(article.topic) if article.topic else "",
        language=headline.language if headline else article.original_language,
        states=language_states(article, languages),
    )


def language_states(article: Article, languages: Iterable[str]) -> list[LanguageState]:
    """Return the state in each of the newsletter's languages, and in others that it has."""
    texts = article.texts()
    original = texts.get(article.original_language)
    page_language = get_language() or "en"
    return [
        LanguageState(
            code, language_name_in(code, page_language), _state(texts.get(code), original)
        )
        for code in dict.fromkeys([*languages, *texts])
    ]


def _state(text: ArticleTranslation | None, original: ArticleTranslation | None) -> str:
    if text is None:
        return "missing"
    if is_stale(text, original):
        return "behind"
    return str(text.state)


def empty_places(issue: Issue, topics: list[Topic], rows: list[ArticleRow]) -> list[EmptyPlace]:
    """Return the topics without an article, in the newsletter's order."""
    if issue.kind in {Issue.Kind.BREAK, Issue.Kind.SPECIAL}:
        return []
    taken = {row.article.topic_id for row in rows}
    last = last_trends(issue)
    return [EmptyPlace(topic, last[topic.pk]) for topic in topics if topic.pk not in taken]


def trend_rows(issue: Issue, form: IssueForm) -> list[TrendRow]:
    last = last_trends(issue)
    return [TrendRow(form[f"trend_{topic.pk}"], last[topic.pk]) for topic in form.topics]


def last_trends(issue: Issue) -> dict[int, LastTrend]:
    """Return the trend of each of the newsletter's topics in the week before the issue."""
    labels = dict(TREND_CHOICES)
    week = issue.starts_on - timedelta(days=issue.starts_on.weekday() + 7)
    known = Trend.objects.filter(topic__newsletter=issue.newsletter_id, week=week)
    statuses = dict(known.values_list("topic", "status"))
    return {
        pk: LastTrend(statuses.get(pk, ""), labels[statuses.get(pk, "")])
        for pk in issue.newsletter.topics.values_list("pk", flat=True)
    }


def sent_mailings() -> QuerySet[Mailing]:
    """Return the mailings whose content can no longer change."""
    return Mailing.objects.filter(Q(snapshot_at__isnull=False) | Q(state=Mailing.State.PREPARING))


def log_entries(issue: Issue) -> QuerySet[LogEntry]:
    """Return what was done to the issue at the desk, the latest first."""
    kind = ContentType.objects.get_for_model(Issue)
    rows = LogEntry.objects.filter(content_type=kind, object_id=str(issue.pk))
    return rows.select_related("user").order_by("-action_time", "-pk")[:LOG_ENTRIES]
