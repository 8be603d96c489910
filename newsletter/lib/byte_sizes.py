"""How many bytes something has, in words."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _


def size_name(size: float) -> str:
    """Return the size in the active language, in powers of ten: "92 kB", "1.4 MB", "6.0 GB"."""
    if size < 999_500:
        number = max(1, round(size / 1000)) if size else 0
        return _("%(number)s kB") % {"number": number_format(number, 0, use_l10n=True)}
    if size < 999_500_000:
        return _("%(number)s MB") % {"number": number_format(size / 1_000_000, 1, use_l10n=True)}
    number_of = number_format(size / 1_000_000_000, 1, use_l10n=True)
    return _("%(number)s GB") % {"number": number_of}
