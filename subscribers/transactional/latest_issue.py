"""Show the latest issue on the welcome page, and queue it as an email on request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from newsletter.digest.dates import week_range
from newsletter.digest.languages import pick
from newsletter.editorial.content import issue_content
from subscribers.models import Subscription, TransactionalEmail


@dataclass(frozen=True)
class Headline:
    text: str
    url: str
    language: str


@dataclass(frozen=True)
class LatestIssue:
    """An issue in a reader's languages. `title` is "" if the editors gave none."""

    id: int
    title: str
    title_language: str
    week: str
    headlines: tuple[Headline, ...]


def latest_for_reader(subscription: Subscription, page_language: str) -> LatestIssue | None:
    """Return the latest issue with its headlines in the reader's languages, or None without any."""
    newsletter, chain, now = subscription.newsletter, subscription.languages, timezone.now()
    issue = newsletter.issues.latest_public(now)
    # The discreet domain has no articles to link to, and its pages show no headlines.
    if issue is None or subscription.discreet:
        return None
    content = issue_content(issue, at=now)
    headlines = [
        Headline(article.texts[language].headline, article.texts[language].url, language)
        for article in content.articles
        if (language := pick(chain, article.texts))
    ]
    if not headlines:
        return None
    titled = {code: text.subject for code, text in content.texts.items() if text.subject}
    title_language = pick(chain, titled) or ""
    return LatestIssue(
        id=issue.pk,
        title=titled.get(title_language, ""),
        title_language=title_language,
        week=week_range(
            content.starts_on, content.ends_on, page_language, today=newsletter.local_date(now)
        ),
        headlines=tuple(headlines),
    )


def was_requested(subscription: Subscription, issue_id: int) -> bool:
    """Return whether the reader has requested this issue by email."""
    return TransactionalEmail.objects.filter(**_request(subscription, issue_id)).exists()


@transaction.atomic
def queue_latest_issue(subscription_id: int) -> None:
    """Queue the latest issue as an email to this reader, once."""
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("newsletter")
    subscription = rows.filter(pk=subscription_id, state=Subscription.State.ACTIVE).first()
    now = timezone.now()
    if subscription and (issue := subscription.newsletter.issues.latest_public(now)):
        TransactionalEmail.objects.get_or_create(
            **_request(subscription, issue.pk), defaults={"due_at": now}
        )


def _request(subscription: Subscription, issue_id: int) -> dict[str, Any]:
    return {
        "kind": TransactionalEmail.Kind.ISSUE,
        "subscriber_id": subscription.subscriber_id,
        "newsletter_id": subscription.newsletter_id,
        "about": str(issue_id),
    }
