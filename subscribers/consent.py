"""Record evidence of consent: the text that a reader agrees to, and its version (B8)."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from newsletter.editorial.models import Newsletter
from subscribers.models import Consent, Subscription


def consent_text(newsletter: Newsletter, language: str) -> str:
    """Return the text beside the button of the sign-up form."""
    with translation.override(language):
        return _(
            "I want to receive “%(newsletter)s” by email. I can unsubscribe at any time with "
            "one click in any email."
        ) % {"newsletter": newsletter.name_in(language)}


def record_consent(
    subscription: Subscription,
    action: str,
    *,
    language: str,
    wording: str = "",
    at: datetime | None = None,
) -> None:
    """Add a Consent row with the time to the minute. The version is a hash of the wording."""
    version = hashlib.blake2b(wording.encode(), digest_size=8).hexdigest() if wording else ""
    Consent.objects.create(
        subscription=subscription,
        action=action,
        wording=wording,
        wording_version=version,
        language=language,
        source=subscription.source,
        at=(at or timezone.now()).replace(second=0, microsecond=0),
    )
