"""Evidence of consent: the words that a reader agrees to, their version, and the record (B8)."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from newsletter.editorial.models import Newsletter
from subscribers.models import Consent, Subscription


def consent_text(newsletter: Newsletter, language: str) -> str:
    """What stands by the button of the form."""
    with translation.override(language):
        return _(
            "I want to receive “%(newsletter)s” by email. I can unsubscribe at any time with "
            "one click in any email."
        ) % {"newsletter": newsletter.name_in(language)}


def version_of(text: str) -> str:
    """Names a wording: the same words, the same version."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest() if text else ""


def promise_of(newsletter: Newsletter, language: str) -> str:
    """What the box promises: "Once a week …"; "" where the language has no such words."""
    text = newsletter.text([language])
    return text.promise if text else ""


def record_consent(
    subscription: Subscription,
    action: str,
    *,
    language: str,
    wording: str = "",
    at: datetime | None = None,
) -> None:
    """Add a Consent row with the time to the minute."""
    Consent.objects.create(
        subscription=subscription,
        action=action,
        wording=wording,
        wording_version=version_of(wording),
        language=language,
        source=subscription.source,
        at=(at or timezone.now()).replace(second=0, microsecond=0),
    )
