"""Read the bounce mailbox: once a minute, a bounded number of emails, in one worker at a time.

The order keeps every email: act, commit, then put it away. If the worker dies in between, the email
is read again, which changes nothing (see `inbound`). Email that isn't for us stays where it is. The
cache remembers which that is; without the cache it is only read again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from time import monotonic
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError

from newsletter.delivery.feedback.mail import mailboxes
from newsletter.delivery.feedback.mail.bounce_mail import Nature
from newsletter.delivery.feedback.mail.inbound import Record, handle_email
from newsletter.delivery.feedback.mail.mailboxes import Mailbox, MailboxError, Problem, StoredEmail
from newsletter.lib.cache_errors import cache_errors
from newsletter.lib.mailbox_url import MailboxURL

log = logging.getLogger(__name__)

LIMIT = 1000
"""How many emails are read at most in one go."""
SECONDS = 45
"""How long reading may take; the rest waits for the next time."""
LOCK_SECONDS = 180
REMEMBER_SECONDS = 90 * 86_400
CHUNK = 50
"""After so many emails, those that are done are put away."""

FAILED = "failed"
PUT_AWAY = frozenset(
    {Nature.REPORT, Nature.UNSUBSCRIPTION, Nature.NOTICE, Nature.AUTOMATIC_REPLY, Nature.LOOP}
)
"""What is moved to the folder for email that was read. Everything else is left untouched."""


@dataclass(frozen=True)
class MailboxStatus:
    """The result of reading a mailbox: what was found, by nature, or why it can't be read.

    `mailbox` names it without user and password, or is "" if none is configured.
    """

    mailbox: str = ""
    problem: Problem | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    """How many emails are left for the next time."""


def read_bounce_mailbox(record: Record) -> MailboxStatus:
    """Read the configured mailbox, unless another worker is doing it."""
    url: MailboxURL | None = settings.BOUNCE_MAILBOX
    if url is None:
        return MailboxStatus()
    memory = _Memory(url)
    if not memory.lock():
        return MailboxStatus(url.redacted)
    try:
        status = _read(url, record, memory)
    finally:
        memory.unlock()
    memory.log_outage(status)
    if status.counts:
        log.info("mailbox-read", extra={**status.counts, "waiting": status.waiting})
    return status


def _read(url: MailboxURL, record: Record, memory: _Memory) -> MailboxStatus:
    counts: Counter[str] = Counter()
    try:
        box = mailboxes.open_mailbox(url)
    except MailboxError as error:
        return MailboxStatus(url.redacted, error.problem)
    try:
        waiting = _read_new(box, record, memory, counts)
    except MailboxError as error:
        return MailboxStatus(url.redacted, error.problem, dict(counts))
    finally:
        box.close()
    return MailboxStatus(url.redacted, None, dict(counts), waiting)


def _read_new(box: Mailbox, record: Record, memory: _Memory, counts: Counter[str]) -> int:
    """Act on email that hasn't been read before; return how much is left."""
    until = monotonic() + SECONDS
    present = box.keys()
    seen = memory.seen(box.generation).intersection(present)
    unread = [key for key in present if key not in seen]
    done = 0
    while done < min(len(unread), LIMIT) and monotonic() < until:
        chunk = unread[done : min(done + CHUNK, LIMIT)]
        natures = {email.key: _handle(email, record) for email in box.read(chunk)}
        counts.update(nature.value if nature else FAILED for nature in natures.values())
        box.put_away([key for key, nature in natures.items() if nature in PUT_AWAY])
        seen |= {key for key, nature in natures.items() if nature and nature not in PUT_AWAY}
        memory.remember(box.generation, seen)
        done += len(chunk)
    return len(unread) - done


def _handle(email: StoredEmail, record: Record) -> Nature | None:
    """Act on one email. One that fails is tried again the next time, and doesn't stop the others:
    unless the database is away, the fault is in that email, or in us."""
    if email.raw is None:
        return Nature.TOO_LARGE
    try:
        return handle_email(email.raw, record=record)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise
    except Exception as error:  # noqa: BLE001 - see above
        # Only the type is logged: the message or traceback may contain an address.
        log.error("mail-failed", extra={"reason": type(error).__name__})
        return None


class _Memory:
    """What the cache knows about a mailbox. Nothing is lost if the cache is."""

    def __init__(self, url: MailboxURL) -> None:
        digest = blake2b(repr((url.redacted, url.user)).encode(), digest_size=12).hexdigest()
        self._name = f"bounce-mailbox:{digest}"

    def lock(self) -> bool:
        try:
            return cache.add(f"{self._name}:lock", 1, LOCK_SECONDS)
        except cache_errors():
            # Two workers would read the same email, which does no harm.
            return True

    def unlock(self) -> None:
        self._set("lock", None, 0)

    def seen(self, generation: str) -> set[str]:
        stored = self._get("seen")
        return set(stored[1]) if stored and stored[0] == generation else set()

    def remember(self, generation: str, keys: Sequence[str] | set[str]) -> None:
        self._set("seen", (generation, sorted(keys)), REMEMBER_SECONDS)

    def log_outage(self, status: MailboxStatus) -> None:
        """Log one line when the mailbox can't be read, and one when it can be again."""
        now = status.problem.value if status.problem else ""
        if now == (self._get("problem") or ""):
            return
        self._set("problem", now, REMEMBER_SECONDS)
        facts = {"mailbox": status.mailbox}
        if now:
            log.error("mailbox-unavailable", extra={**facts, "problem": now})
        else:
            log.warning("mailbox-available-again", extra=facts)

    def _get(self, what: str) -> Any:
        try:
            return cache.get(f"{self._name}:{what}")
        except cache_errors():
            return None

    def _set(self, what: str, value: object, seconds: int) -> None:
        try:
            cache.set(f"{self._name}:{what}", value, seconds)
        except cache_errors():
            return
