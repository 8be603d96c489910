"""Test emails: an edition exactly as readers would get it, marked as a test.

Only these differ from the real message: the subject and the first line say that it is a test, a
header marks it, and the personal links lead to a page that says so and does nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, replace
from datetime import timedelta
from html import escape
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from newsletter.delivery.models import Edition, Mailing, Release, TrialEmail
from newsletter.delivery.planning.editions import draft_editions
from newsletter.delivery.sending.messages import build_email
from newsletter.digest.assemble import assemble
from newsletter.digest.content import RenderError
from newsletter.editorial.content import issue_content
from newsletter.editorial.models import Issue
from newsletter.lib.languages import page_language
from newsletter.lib.placeholders import Placeholder
from newsletter.transport.outcomes import Email
from subscribers import audience
from subscribers.audience import Segment

HEADER = "X-Tydzen-Test"
_BODY = re.compile(r"<body[^>]*>", re.IGNORECASE)
_READY_BY_THEN = timedelta(days=3650)
"""As in the preview, a text that is ready but timed for later is included."""


def segment_to_json(segment: Segment) -> dict[str, Any]:
    return {
        **asdict(segment),
        "topics": None if segment.topics is None else sorted(segment.topics),
    }


def segment_from_json(stored: dict[str, Any]) -> Segment:
    topics = stored["topics"]
    return Segment(
        **{
            **stored,
            "languages": tuple(stored["languages"]),
            "topics": None if topics is None else frozenset(topics),
        }
    )


def edition_of(issue: Issue, segment: Segment) -> Edition:
    """Return the unsaved edition that the segment's readers would get now. Raises RenderError."""
    release = Release(newsletter=issue.newsletter, period=issue.key, issue=issue)
    now = timezone.now()
    editions = draft_editions(
        Mailing(release=release),
        [segment],
        issue.newsletter,
        issue=issue_content(issue, at=now + _READY_BY_THEN),
        at=now,
    )
    for edition in editions.drafts.values():
        return edition
    raise RenderError(_("These readers would not get an email: no article is ready for them."))


def write(row: TrialEmail) -> Email:
    """Return the test email. Raises RenderError."""
    return marked(build_email(edition_of(row.issue, segment_from_json(row.segment))), row.language)


def marked(email: Email, language: str) -> Email:
    """Return the email, marked as a test in the language of who gets it."""
    with translation.override(language):
        note = _("This is a test. No reader got it, and its personal links do nothing.")
        subject = _("[Test] %(subject)s") % {"subject": email.subject}
    html = email.html
    if html:
        start = _BODY.search(html)
        at = start.end() if start else 0
        html = html[:at] + _NOTE % escape(note) + html[at:]
    return replace(
        email,
        subject=subject,
        text=f"*** {note} ***\n\n{email.text}",
        html=html,
        headers=(*email.headers, (HEADER, "1")),
    )


_NOTE = (
    '<div role="note" style="background-color:#fff3c4;color:#1c1b1a;font-family:sans-serif;'
    'font-size:14px;line-height:20px;padding:8px 16px;text-align:center">%s</div>'
)


def urls(language: str) -> dict[str, str]:
    """Return what the personal links of a test email lead to, in a language of the site."""
    with translation.override(page_language(language)):
        page = settings.SITE_URL.rstrip("/") + reverse("subscribers:test-email")
    found = {each.value: page for each in Placeholder}
    domain = settings.INBOUND_DOMAIN or "placeholders.invalid"
    found[Placeholder.UNSUBSCRIBE_EMAIL.value] = f"mailto:test-email@{domain}"
    return found


def distinct_segments(issue: Issue) -> list[tuple[Segment, int]]:
    """Return one segment, and the number of readers, for each edition that is in use.

    Editions of which nobody gets one, because nothing is ready for those readers, are left out. A
    newsletter without readers has the editions of its sign-up choices. Nothing is rendered.
    """
    newsletter = issue.newsletter
    contents = issue_content(issue, at=timezone.now() + _READY_BY_THEN)
    found = audience.segments(newsletter) or [
        (plain_segment(chain), 0) for chain in dict.fromkeys(newsletter.chains())
    ]
    first: dict[str, Segment] = {}
    readers: Counter[str] = Counter()
    for segment, count in sorted(found, key=lambda each: -each[1]):
        selection = assemble(contents, audience.edition_options(segment, newsletter))
        if selection is not None:
            first.setdefault(selection.key, segment)
            readers[selection.key] += count
    return [(segment, readers[key]) for key, segment in first.items()]


def plain_segment(chain: tuple[str, ...], *, content: str = "") -> Segment:
    """Return the segment of readers who chose languages and nothing else."""
    return Segment(
        languages=chain,
        page_language=page_language(chain[0]),
        topics=None,
        content=content,
        pictures=True,
        plain_text=False,
        discreet=False,
    )
