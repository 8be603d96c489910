"""What a bounce says about a recipient: hard or soft, and whose fault it is (D2, D7). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from newsletter.delivery.models import Event
from newsletter.transport.decisions import classify_report, is_vague
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
_WORDS_LENGTH = 400


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
    if is_vague(given):
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
    """Classify a refusal as `decisions.classify_report` does; if it says nothing, it is soft.

    Only a fault of the reader may count against them. Soft bounces have that fault too.
    """
    fault, is_soft = classify_report(code, status, words[:_WORDS_LENGTH])
    # A status that says nothing is left out: a 550 with it is a bare 550 (D2).
    status = "" if is_vague(status) else status
    if fault is Fault.NONE and code is None and not status:
        return Refusal(Kind.DEFERRED, fault=Fault.READER)
    return Refusal(Kind.DEFERRED if is_soft else Kind.BOUNCED, code, status, fault)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
