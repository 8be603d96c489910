"""The latest issue, or the round-up of its month, as one reader's choices make it: no key is
needed, and nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils import timezone

from newsletter.digest.assemble import assemble
from newsletter.digest.content import Issue, RenderError
from newsletter.digest.labels import period_name
from newsletter.digest.render_service import render_edition
from newsletter.editorial.content import issue_content, newsletter_content, round_up_content
from newsletter.editorial.schedule import Month
from newsletter.lib import placeholders
from subscribers import discreet_domain
from subscribers.audience import segment_of
from subscribers.edition_options import edition_options
from subscribers.models import Subscription
from subscribers.transactional.latest_issue import latest_issue


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
    options = edition_options(segment_of(subscription), subscription.newsletter)
    if options.pictures == "embedded":
        # A page shows the same pictures from the site.
        options = replace(options, pictures="linked")
    today = subscription.newsletter.local_date(timezone.now())
    branding = newsletter_content(subscription.newsletter)
    url = discreet_domain.site_of(discreet=subscription.discreet)
    try:
        if subscription.discreet:
            branding = discreet_domain.discreet_branding(branding)
            content = discreet_domain.discreet_issue(
                content, view_url=url, options=options, today=today
            )
        selection = assemble(content, options)
        if selection is None:
            return None
        mail = render_edition(branding, content, selection, view_url=url, today=today)
    except RenderError:
        # Such an issue is held for the editors, and not sent.
        return None
    return Preview(
        subject=mail.subject,
        period=period_name(content, mail.language, today=today),
        language=mail.language,
        html=placeholders.PATTERN.sub("#", mail.html),
        text=placeholders.PATTERN.sub("…", mail.text),
    )


def _paper(subscription: Subscription) -> Issue | None:
    newsletter, now = subscription.newsletter, timezone.now()
    issue = latest_issue(newsletter)
    if issue is None:
        return None
    if subscription.frequency == Subscription.Frequency.MONTHLY:
        month = Month.of(issue.ends_on)
        issues = newsletter.issues.public(now).for_month(month).newest_first()
        return round_up_content(month, issues, at=now)
    return issue_content(issue, at=now)
