"""What editors decide: approval, trends; and what they must look at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext

from newsletter.editorial.models import (
    Article,
    Issue,
    Topic,
    Trend,
    User,
)
from newsletter.editorial.revisions import is_stale
from newsletter.editorial.schedule import occurrence_sending
from newsletter.lib.languages import language_name


class Severity(StrEnum):
    BLOCKS = "blocks"
    """Nothing can go out like this."""
    LOOK = "look"
    """It can go out; an editor should know."""


@dataclass(frozen=True)
class Problem:
    """What an editor must look at. `article_id` where it is about one article."""

    severity: Severity
    text: str
    article_id: int | None = None


def approve(issue: Issue, *, by: User | None) -> None:
    """Let the issue go out. Whoever asks an editor first shows `problems`."""
    issue.state = Issue.State.APPROVED
    issue.approved_by, issue.approved_at = by, timezone.now()
    issue.save(update_fields=["state", "approved_by", "approved_at"])


def withdraw_approval(issue: Issue) -> None:
    """Take the issue back into preparation. What is being sent already goes on."""
    issue.state = Issue.State.DRAFT
    issue.approved_by = issue.approved_at = None
    issue.save(update_fields=["state", "approved_by", "approved_at"])


def set_trend(topic: Topic, week: date, status: str | None) -> bool:
    """State a topic's trend in the week of that Monday, or take it back (None).

    True where something changed.
    """
    if status is None:
        deleted, _rows = Trend.objects.filter(topic=topic, week=week).delete()
        return bool(deleted)
    trend, created = Trend.objects.get_or_create(
        topic=topic, week=week, defaults={"status": Trend.Status(status)}
    )
    if created or trend.status == status:
        return created
    trend.status = Trend.Status(status)
    trend.save(update_fields=["status"])
    return True


def set_issue_trend(issue: Issue, topic: Topic, status: str | None) -> bool:
    """State a topic's trend in the weeks that the issue covers, or take it back (None).

    True where something changed. It is the last week's; what was said of the earlier ones stays,
    unless it is all taken back. What a special issue states is the trend of the week it ends in.
    """
    if issue.kind == Issue.Kind.SPECIAL:
        return set_trend(topic, issue.last_week, status)
    if Trend.objects.of_issue(issue).get(topic.pk) == status:
        return False
    if status is not None:
        return set_trend(topic, issue.last_week, status)
    weeks = (issue.starts_on, issue.ends_on)
    deleted, _rows = Trend.objects.filter(topic=topic, week__range=weeks).delete()
    return bool(deleted)


def scheduled_send_time(issue: Issue) -> datetime | None:
    """When the schedule sends the issue; None if it waits for an editor to do so."""
    if not (issue.newsletter.schedule_active and issue.goes_out_with(issue.last_week)):
        return None
    if issue.kind == Issue.Kind.SPECIAL:
        return None
    return occurrence_sending(issue.newsletter.rule, issue.last_week).at


def problems(issue: Issue, *, at: datetime | None = None) -> list[Problem]:
    """What an editor must look at before the issue goes out; the gravest first.

    `at` is the moment when it goes out: by default the schedule's, if that is still to come, or
    now. An article may be timed for that very hour, and the issue approved the day before.
    """
    now = timezone.now()
    at = at or max(scheduled_send_time(issue) or now, now)
    articles = list(issue.articles.select_related("picture").prefetch_related("translations"))
    found = [*_of_the_issue(issue, articles, at)]
    for article in articles:
        found += _of_the_article(article, issue.newsletter.languages, at)
    return sorted(found, key=lambda problem: problem.severity)


def blocks(found: list[Problem]) -> bool:
    return any(problem.severity == Severity.BLOCKS for problem in found)


def _of_the_issue(issue: Issue, articles: list[Article], at: datetime) -> Iterator[Problem]:
    if issue.kind == Issue.Kind.BREAK:
        yield Problem(Severity.BLOCKS, gettext("This week is a break. Nothing is sent."))
        return
    texts = [text for article in articles for text in article.texts().values()]
    public = {text.language for text in texts if text.is_public(at)}
    ready = {text.language for text in texts if text.is_ready}
    if not articles:
        yield Problem(Severity.BLOCKS, gettext("The issue has no articles."))
    elif not ready:
        yield Problem(Severity.BLOCKS, gettext("No article is ready in any language."))
    elif not public:
        yield Problem(
            Severity.BLOCKS, gettext("All ready articles have a publication time in the future.")
        )
    elif _is_too_thin(issue, articles, at):
        yield Problem(
            Severity.LOOK,
            gettext("Too few articles are ready: the schedule needs at least %(least)s.")
            % {"least": issue.newsletter.least_articles},
        )
    for chain in issue.newsletter.chains() if ready else []:
        if not ready.intersection(chain):
            names = ", ".join(language_name(code) for code in chain)
            yield Problem(
                Severity.LOOK,
                gettext(
                    "Readers of %(languages)s would not get an email: no article is ready for them."
                )
                % {"languages": names},
            )


def _is_too_thin(issue: Issue, articles: list[Article], at: datetime) -> bool:
    """Whether the schedule will hold the issue, which an editor can still send by hand."""
    if scheduled_send_time(issue) is None:
        return False
    public = [a for a in articles if any(text.is_public(at) for text in a.texts().values())]
    return not issue.newsletter.are_enough(len(public))


def _of_the_article(article: Article, languages: list[str], at: datetime) -> Iterator[Problem]:
    texts = article.texts()
    original = texts.get(article.original_language)

    def look(text: str) -> Problem:
        return Problem(Severity.LOOK, f"{article}: {text}", article.pk)

    if not texts:
        yield look(gettext("has no text in any language."))
    is_ready = any(text.is_ready for text in texts.values())
    if texts and not is_ready:
        yield look(gettext("is not ready in any language and will be left out."))
    for code in languages:
        text = texts.get(code)
        if text is None:
            continue
        values = {"language": language_name(code), "state": text.get_state_display()}
        if is_ready and not text.is_ready:
            yield look(gettext("%(language)s is not ready (%(state)s).") % values)
        if is_stale(text, original):
            yield look(
                gettext("%(language)s is older than the last change to the original.") % values
            )
        if article.picture and article.picture.file and not text.alt_text:
            yield look(gettext("the picture has no alt text in %(language)s.") % values)
    if article.published_at > at:
        yield look(gettext("has a publication time in the future."))
