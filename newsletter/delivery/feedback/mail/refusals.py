"""What a bounce says about a recipient: hard or soft, and whose fault it is (D2, D7). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault

Kind = Event.Kind

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_CODE = re.compile(r"(?:^|[\s;:(])(25\d|4[2-7]\d|5[0-7]\d)(?=[ -]|$)")
_IN_TEXT = re.compile(
    r"\b(?P<code>[45]\d\d)[ -]#?(?P<status>[45]\.\d{1,3}\.\d{1,3})(?!\.?\d)"
    r"|\(#(?P<qmail>[45]\.\d{1,3}\.\d{1,3})\)"
    r"|(?:^|: )[ \t]*(?P<bare>[45]\d\d)[ -](?=\D)",
    re.MULTILINE,
)
"""A status behind its code, qmail's `(#5.1.1)`, or a code at the start of a line or a quotation."""
_ADDRESS = re.compile(r"\S*@\S*")
_WORDS_LENGTH = 400
_HARD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
_FULL = frozenset({"5.2.2", "5.4.7"})
"""The mailbox is full, or the time to retry has run out: soft, whatever the class says."""
_SENDER = ("5.1.7", "5.1.8", "5.1.90", "5.4.5", "5.5.", "5.7.")
_MESSAGE = ("5.2.3", "5.3.4", "5.6.")
_FULL_WORDS = re.compile(
    r"mailbox (is |size )?(full|limit)|over ?quota|quota (is )?exceeded"
    r"|exceeded (its |storage|the )|not enough (disk )?space"
    r"|insufficient (system )?storage|переполнен|перапоўнен",
    re.IGNORECASE,
)
_SIZE_WORDS = re.compile(r"(message|size).{0,40}(too (large|big)|exceeds)", re.IGNORECASE)
_SPAM_WORDS = re.compile(r"\bspam|спам|junk mail|unsolicited|virus", re.IGNORECASE)
_POLICY_WORDS = re.compile(
    r"block(ed|[ -]?list)|black[ -]?list|reputation|policy|DMARC|\bSPF\b|DKIM|authenticat"
    r"|rate limit|too many|max emails|not owned by|sender (address )?rejected"
    r"|relay(ing)? (access )?denied",
    re.IGNORECASE,
)
_GONE_WORDS = re.compile(
    r"(user|recipient|mailbox|account|address|addressee|alias)\b.{0,40}"
    r"(unknown|not found|not exist|n't exist|no longer|disabled|inactive|invalid|unavailable"
    r"|rejected)"
    r"|(unknown|invalid|no such) (user|recipient|mailbox|address|local)"
    r"|(host|domain)( or domain)?( name)?\b.{0,60}(not found|not exist|n't exist)"
    r"|не существует|не найден|нет такого|не знойдзен|не існуе|няма такога",
    re.IGNORECASE | re.DOTALL,
)


class Refusal(NamedTuple):
    """What a report says about one recipient, in our vocabulary. It holds no text (G1)."""

    kind: Event.Kind
    code: int | None = None
    status: str = ""
    fault: Fault = Fault.NONE


def from_status_block(action: str, status: str, diagnostic: str) -> Refusal | None:
    """Return what a block of a delivery status says, or None if it reports nothing final.

    The first of these counts: the block's Status, the first status in its Diagnostic-Code, the
    SMTP code there. A status that ends in .0.0 says nothing, so it gives way to a more exact one.
    A delayed message may still arrive, and a relayed one still bounce.
    """
    if action in {"delivered", "expanded"}:
        return Refusal(Kind.DELIVERED, status=_first(_STATUS, status))
    if action in {"delayed", "relayed"}:
        return None
    given = _first(_STATUS, status)
    if given.startswith("2.") and action != "failed":
        return Refusal(Kind.DELIVERED, status=given)
    if _is_vague(given):
        given = _first(_STATUS, diagnostic) or given
    code = _first(_CODE, diagnostic)
    return judge(int(code) if code else None, given, diagnostic)


def from_text(text: str) -> Refusal:
    """Return what a bounce in plain text says. Without a code in it, it counts as soft."""
    found = _IN_TEXT.search(text)
    if found is None:
        return judge(None, "")
    code = found["code"] or found["bare"]
    words = text[found.start() : found.start() + _WORDS_LENGTH]
    return judge(int(code) if code else None, found["status"] or found["qmail"] or "", words)


def judge(code: int | None, status: str, words: str = "") -> Refusal:
    """Classify a refusal by its status, else its words, else its code.

    Only a fault of the reader may count against them. Soft bounces have that fault too.
    """
    # An address may contain any word.
    said = _ADDRESS.sub(" ", words[:_WORDS_LENGTH])
    kind, fault = _by_status(status) or _by_words(said) or _by_code(code, status)
    # A status that says nothing is left out: a 550 with it is a bare 550 (D2).
    return Refusal(kind, code, "" if _is_vague(status) else status, fault)


def _by_status(status: str) -> tuple[Event.Kind, Fault] | None:
    if status in _HARD:
        return Kind.BOUNCED, Fault.READER
    if status in _FULL:
        return Kind.DEFERRED, Fault.READER
    if status.startswith(_SENDER):
        return Kind.BOUNCED, Fault.SENDER
    if status.startswith(_MESSAGE):
        return Kind.BOUNCED, Fault.MESSAGE
    if status.startswith("4.7."):
        return Kind.DEFERRED, Fault.SENDER
    if status.startswith("4."):
        return Kind.DEFERRED, Fault.READER
    return None


def _by_words(words: str) -> tuple[Event.Kind, Fault] | None:
    if _SIZE_WORDS.search(words):
        return Kind.BOUNCED, Fault.MESSAGE
    if _SPAM_WORDS.search(words):
        return Kind.BOUNCED, Fault.MESSAGE
    if _POLICY_WORDS.search(words):
        return Kind.BOUNCED, Fault.SENDER
    if _FULL_WORDS.search(words):
        return Kind.DEFERRED, Fault.READER
    if _GONE_WORDS.search(words):
        return Kind.BOUNCED, Fault.READER
    return None


def _by_code(code: int | None, status: str) -> tuple[Event.Kind, Fault]:
    if status.startswith(("5.1.", "5.2.")):
        return Kind.BOUNCED, Fault.READER
    if code == 550 and _is_vague(status):
        return Kind.BOUNCED, Fault.READER
    if code == 552:
        return Kind.DEFERRED, Fault.READER
    if status.startswith("5.") or (code or 0) >= 500:
        return Kind.BOUNCED, Fault.NONE
    return Kind.DEFERRED, Fault.READER


def _is_vague(status: str) -> bool:
    return not status or status.endswith(".0.0")


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
