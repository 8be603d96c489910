"""What is said to somebody who has to wait."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def too_many_passwords(seconds: int) -> str:
    """Return why the password wasn't looked at, and when the next one will be."""
    return _("Too many wrong passwords.") + " " + _try_again(seconds)


def too_many_codes(seconds: int) -> str:
    return _("Too many wrong codes.") + " " + _try_again(seconds)


def _try_again(seconds: int) -> str:
    if seconds < 60:
        text = ngettext(
            "Try again in %(count)d second.", "Try again in %(count)d seconds.", seconds
        )
        return text % {"count": seconds}
    minutes = -(-seconds // 60)
    text = ngettext("Try again in %(count)d minute.", "Try again in %(count)d minutes.", minutes)
    return text % {"count": minutes}
