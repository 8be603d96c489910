"""Labels of editions in the page's language.

The worker that creates an edition stores its label as codes: "be, ru (be) · lead · text".
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Edition

SEPARATOR = " · "
LABELS: dict[str, str | Promise] = {
    "lead": _("headline and lead"),
    "full": _("full text"),
    "text": _("text only"),
    "none": _("no pictures"),
    "embedded": _("with pictures"),
    "linked": _("linked pictures"),
}


def edition_label(edition: Edition) -> str:
    """Return the edition's label with known codes translated; without a label, its language."""
    parts = (edition.label or edition.language).split(SEPARATOR)
    return SEPARATOR.join(str(LABELS.get(part, part)) for part in parts)
