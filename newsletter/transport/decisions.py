"""What a reply means, whose fault it is, and when to retry. Pure: codes and words in, values out.

D7: what a reply says comes before the stage at which it came. An enhanced status that says one
thing counts first, then known phrases in the text, then the code, then the stage. The text is only
searched: no part of it is in any value, because replies echo addresses (G1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Literal, NamedTuple

from newsletter.transport.known_replies import (
    BROKEN,
    CONTENT,
    CREDENTIALS,
    FULL,
    GONE,
    HTTP_STATUSES,
    NOT_OURS,
    POLICY,
    QUOTA,
    STATUSES,
    SUBJECTS,
    TOO_FAST,
    TOO_LARGE,
    UNEXPLAINED,
    Meaning,
)
from newsletter.transport.known_words import CALL_WORDS, WORDS
from newsletter.transport.outcomes import Fault, Result, SendResult, TransportDownError

Step = Literal["greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "final", "report"]
"""The stage at which a reply came; "report" if a bounce or an event quotes it later."""

_ENHANCED_STATUS = re.compile(rb"\s*#?([245]\.\d{1,3}\.\d{1,3})(?!\S)")
_STATUS_IN_BRACKETS = re.compile(rb"\(#?([245]\.\d{1,3}\.\d{1,3})\)")
"""qmail and its heirs write it at the end: `sorry, no mailbox here by that name (#5.1.1)`."""
_ADDRESS = re.compile(rb"[^\s<>(\[]*@[^\s<>)\]]*")
_REPEATED_STATUS = re.compile(rb"^\s*[245]\.\d{1,3}\.\d{1,3}\s", re.MULTILINE)
_SPACE = re.compile(rb"\s+")
_MAX_TEXT = 4096
_AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})
"""The relay wants us to authenticate, or to do it differently (RFC 4954, 6)."""
_NO_SUCH_RECIPIENT_CODES = frozenset({501, 510, 511, 550, 551, 553, 556})
_TRY_AGAIN_AFTER = re.compile(rb"try again after (\w{3}, \d{1,2} \w{3} \d{4} [\d:]{8} \w{3})")
_MAX_RETRY_AFTER = 86_400


class Verdict(NamedTuple):
    """Whose fault a refusal is, and what becomes of the recipient.

    `result` is REFUSED only for a permanent fault of the reader, FAILED for another permanent one,
    DEFERRED for a temporary one, and None if the relay can't be used: the message is unsent.
    `status` is the reply's enhanced status. If it has none, it is the one that says the same as
    the reply about the sender or the message, else "".
    """

    fault: Fault
    result: Result | None
    status: str

    def as_result(self, position: int, code: int) -> SendResult | None:
        """Return the recipient's result, or None if the message is unsent."""
        if self.result is None:
            return None
        return SendResult(position, self.result, code, self.status, fault=self.fault)

    def as_down(self, reason: str, code: int) -> TransportDownError:
        """Return the error for a relay that can't be used. `reason` names no recipient."""
        return TransportDownError(reason, code=code, status=self.status, fault=self.fault)


def enhanced_status(text: bytes) -> str:
    """Return the RFC 3463 status of a reply's text, or "".

    The rest of the text is dropped because it echoes addresses (G1).
    """
    found = _ENHANCED_STATUS.match(text) or _STATUS_IN_BRACKETS.search(text, 0, _MAX_TEXT)
    return found[1].decode("ascii") if found else ""


def classify(step: Step, code: int, status: str = "", text: bytes = b"") -> Verdict:
    """Classify a relay's refusal."""
    if not 400 <= code < 600:
        return Verdict(Fault.RELAY, None, status)
    permanent = code >= 500
    meaning = _meaning(step, code, status, text)
    if meaning.fault is Fault.READER and step not in {"rcpt", "data", "final"}:
        # No recipient has been named yet.
        meaning = (NOT_OURS if step == "mail" else BROKEN) if permanent else BROKEN
    elif meaning.fault is Fault.SPEED and permanent:
        meaning = QUOTA  # waiting a moment doesn't lift a limit that is stated as permanent
    if meaning.fault in {Fault.SENDER, Fault.MESSAGE} and not status and meaning.status:
        status = f"{5 if permanent else 4}.{meaning.status}"
    return Verdict(meaning.fault, _result(step, code, meaning), status)


class ReportVerdict(NamedTuple):
    """What a recipient's server said that refused a message later: `fault` is NONE if nothing."""

    fault: Fault
    is_soft: bool


def classify_report(code: int | None, status: str, text: str) -> ReportVerdict:
    """Classify the reply that a bounce or a provider's event quotes (D2, D7).

    The stage at which it came isn't known. A status that ends in .0.0 says nothing.
    """
    if is_vague(status):
        status = ""
    else:
        code = code if code and str(code)[0] == status[0] else int(status[0]) * 100
    # Half of a surrogate pair, which JSON may hold, can't be encoded.
    said = text.encode("utf-8", "replace")
    meaning = _meaning("report", code or 500, status, said)
    is_soft = meaning.soft or (code or 500) < 500
    if meaning.fault is Fault.RELAY and is_soft:
        return ReportVerdict(Fault.READER, is_soft)  # it is the reader's server that has a problem
    if meaning.fault is Fault.SPEED and not is_soft:
        return ReportVerdict(QUOTA.fault, is_soft)
    return ReportVerdict(meaning.fault, is_soft)


def is_vague(status: str) -> bool:
    """Return whether an enhanced status is missing or says nothing (RFC 3463, 3.1)."""
    return not status or status.endswith(".0.0")


def _result(step: Step, code: int, meaning: Meaning) -> Result | None:
    if step in {"greeting", "ehlo", "starttls", "auth"}:
        return None
    if code == 421 or code in _AUTHENTICATION_CODES:
        return None
    if code < 500:
        return None if meaning.account_wide else Result.DEFERRED
    if step == "mail":
        # A refusal of the sender or the size applies to every recipient.
        return None
    if meaning.soft:
        return Result.DEFERRED
    return Result.REFUSED if meaning.fault is Fault.READER else Result.FAILED


def _meaning(step: Step, code: int, status: str, text: bytes) -> Meaning:
    detail = status[2:] if status[:1] == str(code // 100) else ""
    if code in _AUTHENTICATION_CODES:
        return CREDENTIALS
    exact = STATUSES.get(detail)
    if exact is not None and (code >= 500 or exact not in {QUOTA, GONE}):
        return exact
    said = _said(text, WORDS)
    if said is not None and _agrees(said, code, detail):
        return said
    if _is_about_speed(step, code, detail):
        return TOO_FAST
    by_subject = SUBJECTS.get(detail.partition(".")[0])
    return by_subject if by_subject is not None else _by_stage(step, code)


def _agrees(said: Meaning, code: int, detail: str) -> bool:
    """Return whether words may be believed beside an enhanced status that leaves room for them.

    5.6.x and 5.7.x are never held against a reader, 5.3.x and 5.5.x only if they say no more than
    "other"; 4.1.x and 4.2.x are about one mailbox (D9).
    """
    subject, _, last = detail.partition(".")
    if code < 500:
        return not (subject in {"1", "2"} and said.fault is Fault.SENDER)
    return said.fault is not Fault.READER or not (
        subject in {"6", "7"} or (subject in {"3", "5"} and last != "0")
    )


def _is_about_speed(step: Step, code: int, detail: str) -> bool:
    """Return whether a code means that we are too fast for the relay (D9)."""
    if code == 432 or (code == 454 and step not in {"starttls", "auth"}):
        return True
    return code in {421, 450} and detail.startswith("7.")


def _by_stage(step: Step, code: int) -> Meaning:
    """Return what a reply means that says nothing else."""
    if step == "report":
        return _by_code_alone(code)
    if step in {"greeting", "ehlo", "starttls"}:
        return BROKEN
    if code < 500:
        return GONE if step == "rcpt" else BROKEN
    if step == "auth":
        return CREDENTIALS
    if code in {523, 552}:
        return TOO_LARGE
    if step == "mail":
        return NOT_OURS
    if step == "rcpt" and code in _NO_SUCH_RECIPIENT_CODES:
        return GONE
    if step == "final":
        return CONTENT
    return BROKEN if code in {500, 502, 503, 504, 555} else POLICY


def _by_code_alone(code: int) -> Meaning:
    """Return what a code means of which the stage isn't known: a bare 550 is the reader's (D2)."""
    if code < 500 or code == 552:
        return FULL
    return GONE if code == 550 else UNEXPLAINED


def _said(text: bytes, words: Sequence[tuple[Meaning, tuple[bytes, ...]]]) -> Meaning | None:
    """Return the meaning of the first group of phrases of which the text contains one."""
    if not text:
        return None
    # An address could contain any of the words.
    plain = _ADDRESS.sub(b"", _REPEATED_STATUS.sub(b"", text[:_MAX_TEXT]))
    plain = _SPACE.sub(b" ", plain).replace("\u2019".encode(), b"'")
    plain = plain.decode("utf-8", "replace").lower().encode()
    for meaning, phrases in words:
        if any(phrase in plain for phrase in phrases):
            return meaning
    return None


class CallStatus(Enum):
    """What a provider's HTTP status says about a whole API call."""

    ACCEPTED = "accepted"
    """The response body has the status of each recipient."""
    UNAVAILABLE = "unavailable"
    """Not accepted, for a reason that has nothing to do with the recipients."""
    REJECTED = "rejected"
    """The provider refused something in the call: bisect it to find the recipient (C10)."""
    UNKNOWN = "unknown"
    """A gateway lost the response: the call may have been accepted (E6)."""


class CallVerdict(NamedTuple):
    """What a failed call means. `fault` is NONE if the provider doesn't explain its refusal."""

    status: CallStatus
    fault: Fault
    enhanced_status: str


_UNAVAILABLE_CODES = frozenset({401, 402, 403, 404, 405, 407, 408, 410, 420, 421, 425, 429})


def http_call_status(code: int) -> CallStatus:
    """Classify the HTTP status code of a provider's response."""
    if 200 <= code < 300:
        return CallStatus.ACCEPTED
    if code in {502, 504}:
        return CallStatus.UNKNOWN
    if 400 <= code < 500 and code not in _UNAVAILABLE_CODES:
        return CallStatus.REJECTED
    return CallStatus.UNAVAILABLE


def classify_call(code: int, own: Meaning | None = None, text: bytes = b"") -> CallVerdict:
    """Classify a provider's error response.

    `own` is what the provider's own code means, if it says one thing: it has the place of the
    enhanced status. `text` has the error messages.
    """
    status = http_call_status(code)
    if status is CallStatus.UNKNOWN and own is None:
        return CallVerdict(status, Fault.RELAY, "")
    said = _said(text, CALL_WORDS) if 400 <= code < 500 else None
    meaning = own or said or HTTP_STATUSES.get(code)
    if said is not None and meaning is not None and _is_narrower(said, meaning):
        meaning = said
    if meaning is None and status is CallStatus.ACCEPTED:
        return CallVerdict(CallStatus.UNKNOWN, Fault.NONE, "")
    if meaning is None or (meaning.fault is Fault.READER and status is CallStatus.UNAVAILABLE):
        fault = Fault.NONE if status is CallStatus.REJECTED else Fault.RELAY
        return CallVerdict(status, fault, "")
    is_rejected = meaning.fault in {Fault.READER, Fault.MESSAGE}
    return CallVerdict(
        CallStatus.REJECTED if is_rejected else CallStatus.UNAVAILABLE,
        meaning.fault,
        f"{4 if meaning.fault is Fault.SPEED else 5}.{meaning.status}" if meaning.status else "",
    )


def _is_narrower(said: Meaning, meaning: Meaning) -> bool:
    """Return whether words narrow down a code: providers answer 429 to a daily quota, too."""
    if meaning.fault is Fault.SPEED:
        return said == QUOTA
    return meaning.fault is Fault.MESSAGE and said.fault is Fault.SENDER


def retry_after(value: str | None, *, now: datetime | None = None) -> int | None:
    """Return the seconds in a Retry-After header (RFC 9110, 10.2.3), at most a day."""
    if not value:
        return None
    if value.strip().isdecimal():
        return min(int(value), _MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(int(seconds), 0), _MAX_RETRY_AFTER)


def retry_after_in_text(text: bytes, *, now: datetime | None = None) -> int | None:
    """Return the seconds until the time in `try again after DATE`, as Mailgun writes it."""
    found = _TRY_AGAIN_AFTER.search(text[:_MAX_TEXT])
    return retry_after(found[1].decode("ascii", "replace"), now=now) if found else None


def backoff(number: int, base_seconds: int) -> int:
    """Return the seconds to wait before round 1, 2, 3 …: doubles each time, up to 16 × the base.

    With the default base of 5 minutes: 5, 10, 20, 40, then 80 minutes.
    """
    return base_seconds << min(max(number, 1) - 1, 4)
