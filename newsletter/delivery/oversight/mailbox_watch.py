"""Read the mailbox for bounces, and remember whether that works, so that staff are told (E9)."""

from __future__ import annotations

from django.core.cache import cache

from newsletter.delivery.feedback.mail.reading import MailboxStatus, read_bounce_mailbox
from newsletter.delivery.feedback.record import record
from newsletter.lib.cache_errors import cache_errors

_KEY = "bounce-mailbox-problem"
_REMEMBERED_SECONDS = 600
"""The mailbox is read every minute, so a problem that isn't renewed is over."""


def read() -> MailboxStatus:
    """Read the mailbox and act on what it holds."""
    status = read_bounce_mailbox(record)
    if status.problem is None:
        cache.delete(_KEY)
    else:
        cache.set(_KEY, status.problem.value, _REMEMBERED_SECONDS)
    return status


def problem() -> str:
    """Return the name of what keeps the mailbox from being read, or "" if it can be.

    Without the cache, nobody knows. The other failures must still be found.
    """
    try:
        return str(cache.get(_KEY, ""))
    except cache_errors():
        return ""
