"""The subscription box, as every page of the site shows it."""

from __future__ import annotations

from typing import Any

from newsletter.editorial.models import Newsletter
from newsletter.web.archive import newsletter_name
from newsletter.web.articles import chain_of
from newsletter.web.languages import best


def box(newsletter: Newsletter | None, language: str) -> dict[str, Any] | None:
    """What templates/subscribers/box.html needs; None where there is no newsletter."""
    if newsletter is None:
        return None
    try:
        from subscribers.forms import subscribe_form
    except ImportError:
        return None
    chain = chain_of(newsletter, language)
    promises = {t.language: t.promise for t in newsletter.translations.all() if t.promise}
    code = best(chain, promises)
    return {
        "form": subscribe_form(newsletter, language),
        "newsletter_name": newsletter_name(newsletter, chain),
        "promise": promises[code] if code else "",
    }
