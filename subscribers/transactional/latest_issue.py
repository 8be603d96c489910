"""The latest issue, as the welcome page shows it, and the offer to mail it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from newsletter.digest.dates import week_range
from newsletter.digest.languages import pick
from newsletter.editorial.content import issue_content
from newsletter.editorial.models import Issue, Newsletter
from subscribers.models import Subscription, TransactionalEmail


@dataclass(frozen=True)
class Headline:
    text: str
    url: str
    language: str


@dataclass(frozen=True)
class Latest:
    """An issue in a reader's languages; `title` is "" where the editors gave none."""

    id: int
    title: str
    title_language: str
    week: str
    headlines: tuple[Headline, ...]


def latest_issue(newsletter: Newsletter) -> Issue | None:
    """The newsletter's latest issue that can be read now: the same as on the site."""
    return newsletter.issues.latest_public(timezone.now())


def latest(newsletter: Newsletter, chain: Sequence[str], page_language: str) -> Latest | None:
    """The latest issue with what of it there is to read in the chain; None where nothing is."""
    issue = latest_issue(newsletter)
    if issue is None:
        return None
    now = timezone.now()
    content = issue_content(issue, at=now)
    headlines = []
    for article in content.articles:
        language = pick(chain, article.texts)
        if language:
            text = article.texts[language]
            headlines.append(Headline(text.headline, text.url, language))
    if not headlines:
        return None
    titled = {code: text.subject for code, text in content.texts.items() if text.subject}
    title_language = pick(chain, titled) or ""
    return Latest(
        id=issue.pk,
        title=titled.get(title_language, ""),
        title_language=title_language,
        week=week_range(
            content.starts_on, content.ends_on, page_language, today=newsletter.local_date(now)
        ),
        headlines=tuple(headlines),
    )


def was_asked_for(subscription: Subscription, issue_id: int) -> bool:
    return _letters(subscription, issue_id).exists()


@transaction.atomic
def ask_for(subscription_id: int) -> None:
    """Queue the latest issue as a letter to this reader, once."""
    subscription = (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .filter(pk=subscription_id, state=Subscription.State.ACTIVE)
        .first()
    )
    issue = latest_issue(subscription.newsletter) if subscription else None
    if subscription is None or issue is None or _letters(subscription, issue.pk).exists():
        return
    now = timezone.now()
    TransactionalEmail.objects.create(
        kind=TransactionalEmail.Kind.ISSUE,
        subscriber_id=subscription.subscriber_id,
        newsletter=subscription.newsletter,
        about=str(issue.pk),
        due_at=now,
    )


def _letters(subscription: Subscription, issue_id: int) -> QuerySet[TransactionalEmail]:
    return TransactionalEmail.objects.filter(
        kind=TransactionalEmail.Kind.ISSUE,
        subscriber=subscription.subscriber_id,
        newsletter=subscription.newsletter_id,
        about=str(issue_id),
    )
