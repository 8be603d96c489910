"""The latest issue, or the round-up of its month, as one reader's choices make it: no key is
needed, and nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils import timezone

from newsletter.digest.assemble import assemble
from newsletter.digest.content import Issue, RenderError
from newsletter.digest.press import print_edition
from newsletter.digest.wording import period_name
from newsletter.editorial.content import issue_content, newsletter_content, round_up_content
from newsletter.editorial.schedule import Month
from newsletter.lib import places
from subscribers import discretion
from subscribers.audience import profile_of
from subscribers.latest import latest_issue
from subscribers.models import Subscription
from subscribers.wants import wants_of


@dataclass(frozen=True)
class Preview:
    """`html` is "" for a reader of text. Its personal links lead nowhere."""

    subject: str
    period: str
    language: str
    html: str
    text: str


def preview(subscription: Subscription) -> Preview | None:
    """None where there is no issue, or nothing in it for this reader."""
    content = _paper(subscription)
    if content is None:
        return None
    wants = wants_of(profile_of(subscription), subscription.newsletter)
    if wants.pictures == "embedded":
        # A page shows the same pictures from the site.
        wants = replace(wants, pictures="linked")
    today = subscription.newsletter.date_at(timezone.now())
    letterhead = newsletter_content(subscription.newsletter)
    url = discretion.site_of(discreet=subscription.discreet)
    try:
        if subscription.discreet:
            letterhead = discretion.letterhead(letterhead)
            content = discretion.issue(content, view_url=url, wants=wants, today=today)
        selection = assemble(content, wants)
        if selection is None:
            return None
        mail = print_edition(letterhead, content, selection, view_url=url, today=today)
    except RenderError:
        # Such an issue is held for the editors, and not sent.
        return None
    return Preview(
        subject=mail.subject,
        period=period_name(content, mail.language, today=today),
        language=mail.language,
        html=places.PATTERN.sub("#", mail.html),
        text=places.PATTERN.sub("…", mail.text),
    )


def _paper(subscription: Subscription) -> Issue | None:
    newsletter, now = subscription.newsletter, timezone.now()
    issue = latest_issue(newsletter)
    if issue is None:
        return None
    if subscription.rhythm == Subscription.Rhythm.MONTHLY:
        month = Month.of(issue.ends_on)
        issues = newsletter.issues.public(now).of_month(month).newest_first()
        return round_up_content(month, issues, at=now)
    return issue_content(issue, at=now)
