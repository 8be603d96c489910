"""Read bounces, complaints and unsubscriptions that arrive by email. Bytes in, a value out.

The formats, in the order in which they are tried: an email to `unsub+CODE@` (A7), a complaint (ARF,
RFC 5965), a delivery status notification (RFC 3464, or RFC 6533 for international addresses), and
text. Nothing that is read here is ever answered, and no text or address leaves this module (G1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from newsletter.delivery.feedback.mail import automatic, identity, refusals
from newsletter.delivery.feedback.mail.identity import Identity, Search
from newsletter.delivery.feedback.mail.incoming import (
    Fields,
    IncomingEmail,
    MalformedError,
    parse_email,
    parse_fields,
)
from newsletter.delivery.feedback.mail.refusals import Refusal
from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault

Kind = Event.Kind

MAX_DEPTH = 3
"""How deep reports that were forwarded as attachments are looked for."""
_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED_TYPES = {
    *("message/rfc822", "message/global"),
    *("text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers"),
    *("message/global-headers", "text/rfc822"),
}
_COMPLAINTS = {"abuse", "fraud"}
_OPT_OUTS = {"opt-out", "opt-out-list"}


class Nature(StrEnum):
    """What an incoming email is. The names are counted and logged."""

    REPORT = "report"
    """It says what became of an email that we sent: bounced, delivered, reported as spam."""
    UNSUBSCRIPTION = "unsubscription"
    NOTICE = "notice"
    """A report that decides nothing: delayed, not spam, an authentication failure."""
    AUTOMATIC_REPLY = "automatic-reply"
    LOOP = "loop"
    """A report about a report, or our own email coming back."""
    UNIDENTIFIED = "unidentified"
    """A report that doesn't lead to any email that we sent."""
    FORGED = "forged"
    """It has an ID that we didn't make."""
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    UNRELATED = "unrelated"


class Finding(NamedTuple):
    """What is reported about one email to one reader."""

    identity: Identity
    refusal: Refusal


@dataclass(frozen=True)
class IncomingMail:
    """What an incoming email is, and what it reports. It holds no address and no text."""

    nature: Nature
    findings: tuple[Finding, ...] = ()
    subscription_id: int | None = None
    """Whose unsubscription it is, if its nature is UNSUBSCRIPTION."""
    date: datetime | None = None
    """When the email says it was written."""


def parse(raw: bytes, *, recipient: str = "") -> IncomingMail:
    """Return what an email is and what it reports. `recipient` is the envelope's, if known."""
    try:
        message = parse_email(raw)
    except MalformedError:
        return IncomingMail(Nature.MALFORMED)
    recipients = identity.envelope_recipients(message, recipient)
    is_bounce = message.type == "multipart/report"
    unsubscription = None if is_bounce else identity.unsubscription(recipients)
    if unsubscription:
        return _unsubscription(unsubscription)
    if identity.is_our_own(message.fields):
        return IncomingMail(Nature.LOOP)
    verp = identity.from_return_path(recipients)
    reports = _reports(message)
    found = _judge_reports(reports, verp) if reports else _judge_text(message, verp)
    return replace(found, date=message.date)


def _unsubscription(search: Search) -> IncomingMail:
    if search.identity is None:
        return IncomingMail(Nature.FORGED)
    return IncomingMail(Nature.UNSUBSCRIPTION, subscription_id=search.identity.subscription_id)


# --- Reports in the formats of the standards ----------------------------------------------------
class _Report(NamedTuple):
    """A delivery status or a complaint, with the headers of the emails it returns, and its text."""

    blocks: Sequence[Fields]
    returned: Sequence[Fields]
    text: str
    is_complaint: bool


def _reports(message: IncomingEmail, depth: int = 0) -> list[_Report]:
    """Return the reports in a message. One that was forwarded is inside an attachment."""
    reports: list[_Report] = []
    blocks: Sequence[Fields] | None = None
    returned: list[Fields] = []
    is_complaint = False
    text = message.text()

    for part in [*message.parts, None]:
        starts_another = part is None or part.type in _STATUS_TYPES | {"message/feedback-report"}
        if starts_another and blocks is not None:
            reports.append(_Report(blocks, tuple(returned), text, is_complaint))
            returned = []
        if part is None:
            break
        if starts_another:
            blocks, is_complaint = part.blocks(), part.type == "message/feedback-report"
        elif part.type in _RETURNED_TYPES:
            returned.append(part.head())
    if reports or depth >= MAX_DEPTH:
        return reports
    return [*_forwarded(message, depth), *_hotmail_complaints(returned, text)]


def _forwarded(message: IncomingEmail, depth: int) -> Iterator[_Report]:
    for part in message.parts:
        if part.type in {"message/rfc822", "message/global"}:
            try:
                inner = parse_email(part.text.encode("utf-8", "replace"))
            except MalformedError:
                continue
            yield from _reports(inner, depth + 1)


def _hotmail_complaints(returned: Sequence[Fields], text: str) -> Iterator[_Report]:
    """Microsoft's JMRP attaches the email without a feedback report, and marks it."""
    for fields in returned:
        if fields.get("x-hmxmroriginalrecipient"):
            yield _Report([parse_fields("Feedback-Type: abuse")], [fields], text, is_complaint=True)


def _judge_reports(reports: Sequence[_Report], verp: Search) -> IncomingMail:
    found = [_judge(report, verp, is_only=len(reports) == 1) for report in reports]
    findings = tuple(finding for each in found for finding in each.findings)
    if findings:
        return IncomingMail(Nature.REPORT, findings)
    order = [Nature.LOOP, Nature.NOTICE, Nature.FORGED, Nature.UNIDENTIFIED]
    return IncomingMail(min((each.nature for each in found), key=order.index))


def _judge(report: _Report, verp: Search, *, is_only: bool) -> IncomingMail:
    if any(automatic.is_report(fields) for fields in report.returned):
        return IncomingMail(Nature.LOOP)
    if report.is_complaint:
        return _judge_complaint(report)
    pairs = list(_pair(report))
    # Neither the return path nor the text can stand for several emails.
    is_about_one = is_only and all(returned is pairs[0][1] for _, returned in pairs)
    found: dict[Identity, list[Refusal | None]] = {}
    forged = False
    for block, returned in pairs:
        searches = [*map(identity.from_returned, (*returned, block))]
        if is_about_one:
            searches = [verp, *searches, identity.from_text(report.text)]
        search = identity.first_found(searches)
        forged = forged or search.forged
        if search.identity:
            found.setdefault(search.identity, []).append(_refusal(block, report.text))
    findings = [Finding(who, refusal) for who, refusal in _mildest(found)]
    if findings:
        return IncomingMail(Nature.REPORT, tuple(findings))
    if found:
        return IncomingMail(Nature.NOTICE)
    return IncomingMail(Nature.FORGED if forged else Nature.UNIDENTIFIED)


def _pair(report: _Report) -> Iterator[tuple[Fields, Sequence[Fields]]]:
    """Yield each recipient's block with the returned headers that belong to it.

    If there are as many returned emails as blocks, the first block belongs to the first one.
    """
    blocks = [
        block for block in report.blocks if block.get("final-recipient") or block.get("action")
    ]
    if len(report.returned) == len(blocks) > 1:
        yield from (
            (block, [fields]) for block, fields in zip(blocks, report.returned, strict=True)
        )
    else:
        shared = list(report.returned)
        yield from ((block, shared) for block in blocks or report.blocks or [Fields()])


def _refusal(block: Fields, text: str) -> Refusal | None:
    diagnostic = " ".join(block.all("diagnostic-code"))
    if not (block.get("action") or block.get("status") or diagnostic):
        return refusals.from_text(automatic.text_before_copy(text))
    return refusals.from_status_block(block.word("action"), block.get("status"), diagnostic)


def _mildest(found: dict[Identity, list[Refusal | None]]) -> Iterator[tuple[Identity, Refusal]]:
    """Yield one refusal for each email.

    An address that forwards to several mailboxes gets a block for each: it works if one of them
    does. A block that reports nothing final leaves the matter open.
    """
    for who, reported in found.items():
        final = [refusal for refusal in reported if refusal is not None]
        if len(final) == len(reported) or any(each.kind == Kind.DELIVERED for each in final):
            yield who, min(final, key=_severity)


def _severity(refusal: Refusal) -> tuple[int, bool]:
    order = [Kind.DELIVERED, Kind.DEFERRED, Kind.BOUNCED]
    return order.index(refusal.kind), refusal.fault == Fault.READER


def _judge_complaint(report: _Report) -> IncomingMail:
    """Return what a complaint says. It counts only if the email that it returns is ours."""
    block = report.blocks[0] if report.blocks else Fields()
    search = identity.first_found(
        identity.from_returned(each) for each in (*report.returned, block)
    )
    kind = block.word("feedback-type")
    if search.identity is None:
        return IncomingMail(Nature.FORGED if search.forged else Nature.UNIDENTIFIED)
    if kind in _COMPLAINTS:
        refusal = Refusal(Kind.COMPLAINED, fault=Fault.READER)
    elif kind in _OPT_OUTS:
        refusal = Refusal(Kind.UNSUBSCRIBED)
    else:
        # not-spam lifts nothing, and a virus or an authentication failure is nobody's complaint.
        return IncomingMail(Nature.NOTICE)
    return IncomingMail(Nature.REPORT, (Finding(search.identity, refusal),))


# --- Text ---------------------------------------------------------------------------------------
def _judge_text(message: IncomingEmail, verp: Search) -> IncomingMail:
    text = message.text()
    is_bounce = automatic.is_from_mail_server(message.fields) or automatic.is_qmail_bounce(message)
    if not is_bounce and automatic.is_automatic_reply(message):
        return IncomingMail(Nature.AUTOMATIC_REPLY)
    returned = [part.head() for part in message.parts if part.type in _RETURNED_TYPES]
    if any(automatic.is_report(fields) for fields in returned):
        return IncomingMail(Nature.LOOP)
    search = identity.first_found(
        [verp, *(identity.from_returned(each) for each in returned), identity.from_text(text)]
    )
    is_bounce = is_bounce or automatic.is_null_sender(message.fields)
    if not is_bounce and not automatic.looks_like_bounce(message):
        return IncomingMail(Nature.FORGED if verp.forged else Nature.UNRELATED)
    if search.identity is None:
        return IncomingMail(Nature.FORGED if search.forged else Nature.UNIDENTIFIED)
    refusal = refusals.from_text(automatic.text_before_copy(text))
    return IncomingMail(Nature.REPORT, (Finding(search.identity, refusal),))
