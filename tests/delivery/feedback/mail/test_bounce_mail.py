"""What each server's bounce says, and which of our emails it leads to (D6, D7)."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from newsletter.delivery.feedback.mail.bounce_mail import IncomingMail, Nature, parse
from newsletter.delivery.feedback.mail.refusals import Refusal
from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.mail import samples

Kind = Event.Kind
TRACE = MessageTrace(MAILING, 7, 42)
OTHER = MessageTrace(MAILING, 8, 43)
HARD, SOFT = (Kind.BOUNCED, Fault.READER), (Kind.DEFERRED, Fault.READER)


def only(mail: IncomingMail) -> Refusal:
    """Return what is reported about the one email that the report leads to."""
    assert mail.nature == Nature.REPORT
    assert [finding.identity.trace for finding in mail.findings] == [TRACE]
    return mail.findings[0].refusal


@pytest.mark.parametrize(
    ("sample", "verdict", "code", "status"),
    [
        (samples.postfix, HARD, 550, "5.1.1"),
        (samples.postfix_3_7, HARD, None, "5.1.1"),
        (samples.office_365, HARD, 550, "5.1.10"),
        (samples.forwarded_exchange, HARD, 550, "5.2.1"),
        (samples.gmail, HARD, 550, "5.1.1"),
        (samples.yandex, SOFT, 550, "5.2.2"),
        (samples.mail_ru, HARD, 550, "5.1.1"),
        (samples.international, HARD, 550, "5.1.1"),
        (samples.qmail, HARD, None, "5.1.1"),
        (samples.plain_text, SOFT, None, ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bounce_leads_to_its_email_and_says_why(
    sample: Callable[[str], bytes],
    verdict: tuple[Kind, Fault],
    code: int | None,
    status: str,
) -> None:
    """D6: RFC 3464 and 6533, Exchange, Gmail, Yandex, mail.ru, qmail, and text."""
    refusal = only(parse(sample(delivery_id(TRACE))))
    assert (refusal.kind, refusal.fault) == verdict
    assert (refusal.code, refusal.status) == (code, status)


@pytest.mark.parametrize("sample", [samples.postfix, samples.gmail, samples.mail_ru])
def test_line_ends_do_not_matter(sample: Callable[[str], bytes]) -> None:
    raw = sample(delivery_id(TRACE))
    assert parse(raw.replace(b"\n", b"\r\n")) == parse(raw)


def test_what_is_returned_holds_no_address() -> None:
    """G1: neither an address nor a reply's text leaves the parser."""
    for sample in (samples.postfix, samples.office_365, samples.mail_ru, samples.complaint):
        assert "readers.example" not in repr(parse(sample(delivery_id(TRACE))))


def test_reading_a_bounce_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """G8: flufl.bounce logs each step, and tracebacks that may quote the bounce."""
    caplog.set_level(logging.DEBUG)
    parse(samples.plain_text(delivery_id(TRACE)))
    logging.getLogger("flufl.bounce").error("Exception in detector")
    assert caplog.records == []


@pytest.mark.parametrize("where", ["recipient", "Delivered-To", "X-Original-To", "To"])
def test_the_return_path_identifies_the_email(where: str) -> None:
    """D6: also when a report returns nothing, and when a server changed the case."""
    address = f"Bounce+{delivery_id(TRACE).upper()}@bounces.news.example"
    raw = samples.report(status=samples.block("5.1.1", "smtp; 550 5.1.1 unknown"), returned="")
    if where == "recipient":
        mail = parse(raw, recipient=address)
    else:
        mail = parse(f"{where}: <{address}>\n".encode() + raw)
    assert only(mail).status == "5.1.1"


def test_the_return_path_counts_before_what_is_returned() -> None:
    raw = samples.report(
        to=f"bounce+{delivery_id(TRACE)}@bounces.news.example",
        status=samples.block("5.1.1", "smtp; 550 5.1.1 unknown"),
        returned=samples.returned_headers(delivery_id(OTHER)),
    )
    assert only(parse(raw)).status == "5.1.1"


def test_a_report_about_several_emails_has_a_finding_for_each() -> None:
    """D10: two readers in one report, each with the returned header that belongs to them. The
    address that it was sent to can't stand for both."""
    one, two = samples.block("5.1.1", "smtp; 550 5.1.1 unknown"), "4.2.2"
    raw = samples.report(
        to=f"bounce+{delivery_id(OTHER)}@bounces.news.example",
        status=one + f"\nFinal-Recipient: rfc822; b@readers.example\nAction: failed\nStatus: {two}",
        returned=samples.returned_headers(delivery_id(TRACE))
        + "\n\n--=_b\nContent-Type: text/rfc822-headers\n\n"
        + samples.returned_headers(delivery_id(OTHER)),
        returned_type="text/rfc822-headers",
    )
    mail = parse(raw)
    assert [(each.identity.trace, each.refusal.kind) for each in mail.findings] == [
        (TRACE, Kind.BOUNCED),
        (OTHER, Kind.DEFERRED),
    ]


def test_an_address_that_forwards_works_if_one_of_its_mailboxes_does() -> None:
    """D7: the reader isn't gone because one of the addresses behind theirs is."""
    raw = samples.report(
        status=samples.block("5.1.1", "smtp; 550 5.1.1 unknown", reader="one@work.example")
        + "\nFinal-Recipient: rfc822; two@work.example\nAction: delivered\nStatus: 2.0.0",
        returned=samples.returned_headers(delivery_id(TRACE)),
    )
    assert only(parse(raw)).kind == Kind.DELIVERED


@pytest.mark.parametrize("action", ["delayed", "relayed"])
def test_a_report_that_is_not_final_decides_nothing(action: str) -> None:
    raw = samples.report(
        status=samples.block("4.4.1", "smtp; 451 4.4.1 try again", action=action),
        returned=samples.returned_headers(delivery_id(TRACE)),
    )
    assert parse(raw).nature == Nature.NOTICE
    assert parse(raw).findings == ()


@pytest.mark.parametrize("action", ["delivered", "expanded"])
def test_a_report_of_success_is_a_delivery(action: str) -> None:
    raw = samples.report(
        status=samples.block("2.0.0", "smtp; 250 2.0.0 Ok", action=action),
        returned=samples.returned_headers(delivery_id(TRACE)),
    )
    assert only(parse(raw)).kind == Kind.DELIVERED


def test_without_a_status_the_text_is_read() -> None:
    """A report whose block names nothing but the recipient."""
    raw = samples.report(
        text="The server said: 550 5.1.2 No such domain",
        status=f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; {samples.READER}",
        returned=samples.returned_headers(delivery_id(TRACE)),
    )
    assert only(parse(raw)).status == "5.1.2"


def test_what_the_returned_email_says_is_no_reason() -> None:
    raw = samples.qmail(delivery_id(TRACE)).replace(b" (#5.1.1)", b"")
    assert b"550 5.7.1" in raw
    assert (only(parse(raw)).kind, only(parse(raw)).status) == (Kind.DEFERRED, "")


def test_a_report_in_html_only_is_read() -> None:
    raw = samples.plain_text(delivery_id(TRACE)).replace(
        b"Subject: Returned mail\n\n",
        b"Subject: Returned mail\nContent-Type: text/html\n\n<p>failed: <b>550 5.1.1</b> gone</p>",
    )
    raw = raw.replace(b"mailsystem@", b"mailer-daemon@")
    assert only(parse(raw)).status == "5.1.1"
