"""What an edition is called at the desk, in the page's language.

An edition keeps a label in one language, as it is made by a worker: "be, ru (be) · lead · text".
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Edition

SEPARATOR = " · "
WORDS: dict[str, str | Promise] = {
    "lead": _("headline and lead"),
    "full": _("full text"),
    "text": _("text only"),
    "none": _("no pictures"),
    "embedded": _("with pictures"),
    "linked": _("linked pictures"),
}


def edition_label(edition: Edition) -> str:
    """Its label, words that are known translated; the language's code where it has none."""
    parts = (edition.label or edition.language).split(SEPARATOR)
    return SEPARATOR.join(str(WORDS.get(part, part)) for part in parts)
