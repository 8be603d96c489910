"""Evidence of consent: the words that a reader agrees to, their version, and the record (B8)."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from newsletter.editorial.models import Newsletter
from subscribers.models import Consent, Subscription


def newsletter_name(newsletter: Newsletter, language: str) -> str:
    """Its name in the language, else in the first of its own languages that has one."""
    names = {each.language: each.name for each in newsletter.translations.all()}
    wanted = [language, *newsletter.languages, *names]
    return next((names[code] for code in wanted if names.get(code)), newsletter.slug)


def consent_text(newsletter: Newsletter, language: str) -> str:
    """What stands by the button of the form."""
    with translation.override(language):
        return _(
            "I want to get “%(newsletter)s” by e-mail. "
            "I can leave at any time, with one click in each mail."
        ) % {"newsletter": newsletter_name(newsletter, language)}


def version_of(text: str) -> str:
    """Names a wording: the same words, the same version."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest() if text else ""


def promise_of(newsletter: Newsletter, language: str) -> str:
    """What the box promises: "Once a week …"; "" where the language has no such words."""
    translations = newsletter.translations.all()
    return next((each.promise for each in translations if each.language == language), "")


def record(
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
