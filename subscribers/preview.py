"""The latest issue as one reader's choices make it: no key is needed, and nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils import timezone

from newsletter.digest.assemble import assemble
from newsletter.digest.content import RenderError
from newsletter.digest.dates import week_range
from newsletter.digest.render import render
from newsletter.editorial.content import issue_content, newsletter_content
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
    week: str
    language: str
    html: str
    text: str


def preview(subscription: Subscription) -> Preview | None:
    """None where there is no issue, or nothing in it for this reader."""
    issue = latest_issue(subscription.newsletter)
    if issue is None:
        return None
    wants = wants_of(profile_of(subscription), subscription.newsletter)
    if wants.pictures == "embedded":
        # A page shows the same pictures from the site.
        wants = replace(wants, pictures="linked")
    today = timezone.localdate()
    content = issue_content(issue, at=timezone.now())
    letterhead = newsletter_content(subscription.newsletter)
    url = discretion.site_of(discreet=subscription.discreet)
    try:
        if subscription.discreet:
            letterhead = discretion.letterhead(letterhead)
            content = discretion.issue(content, view_url=url, wants=wants, today=today)
        selection = assemble(content, wants)
        if selection is None:
            return None
        mail = render(letterhead, content, selection, view_url=url, today=today)
    except RenderError:
        # Such an issue is held for the editors, and not sent.
        return None
    return Preview(
        subject=mail.subject,
        week=week_range(content.starts_on, content.ends_on, mail.language, today=today),
        language=mail.language,
        html=places.PATTERN.sub("#", mail.html),
        text=places.PATTERN.sub("…", mail.text),
    )
