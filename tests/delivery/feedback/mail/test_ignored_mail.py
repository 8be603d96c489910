"""Vacation replies, loops, forgeries and unrelated email change nothing (D6)."""

from __future__ import annotations

from collections.abc import Callable
from email.header import Header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.delivery.feedback.mail.bounce_mail import Nature, parse
from newsletter.delivery.message_ids import MAILING, MessageTrace
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.mail import samples

TRACE = MessageTrace(MAILING, 7, 42)
FORGED = "a" * 28


def nature(raw: bytes, **options: str) -> Nature:
    """Return what an email is; nothing may be reported by it."""
    mail = parse(raw, **options)
    assert mail.findings == ()
    assert mail.subscription_id is None
    return mail.nature


@pytest.mark.parametrize(
    ("subject", "extra"),
    [
        ("Away", "Auto-Submitted: auto-replied (vacation)\n"),
        ("Away", "Auto-Submitted: auto-generated\n"),
        ("Away", "X-Autoreply: yes\n"),
        ("Away", "Precedence: auto_reply\n"),
        ("Away", "Precedence: bulk\n"),
        ("Away", "X-Auto-Response-Suppress: All\n"),
        ("Automatic reply: Week in View", ""),
        ("Re: Out of Office", ""),
        ("Автоответ: Неделя в фокусе", ""),
        ("Аўтаматычны адказ: Тыдзень у фокусе", ""),
        (Header("Аўтаадказ", "utf-8").encode(), ""),
        (Header("Я в отпуске до 14 августа", "windows-1251").encode(), ""),
        (Header("У адпачынку", "utf-8").encode(), ""),
    ],
)
def test_an_automatic_reply_is_no_bounce(subject: str, extra: str) -> None:
    """In Belarusian, Russian and English, even if its text looks like a bounce."""
    text = f"The following addresses had permanent fatal errors\n<{samples.READER}>\n550 5.1.1 gone"
    raw = samples.reply(delivery_id(TRACE), subject=subject, extra=extra, text=text)
    assert nature(raw) == Nature.AUTOMATIC_REPLY


def test_a_read_receipt_is_an_automatic_reply() -> None:
    raw = samples.report(
        sender="ala@readers.example",
        status="Final-Recipient: rfc822; ala@readers.example\nDisposition: manual; displayed",
        status_type="message/disposition-notification",
        returned=samples.returned_headers(delivery_id(TRACE)),
        extra="",
    )
    assert nature(raw) == Nature.AUTOMATIC_REPLY


def test_a_bounce_that_says_it_is_automatic_counts() -> None:
    """A server's own text, unlike a reader's, is a bounce whatever Auto-Submitted says."""
    assert parse(samples.mail_ru(delivery_id(TRACE))).nature == Nature.REPORT


@pytest.mark.parametrize(
    "loop",
    [
        "Return-Path: <>\n",
        "Content-Type: multipart/report; report-type=delivery-status\n",
        "From: Mail Delivery System <MAILER-DAEMON@mx.news.example>\n",
        "Auto-Submitted: auto-replied\n",
    ],
)
def test_a_report_about_a_report_is_a_loop(loop: str) -> None:
    raw = samples.report(
        to=f"bounce+{delivery_id(TRACE)}@bounces.news.example",
        status=samples.block("5.1.1", "smtp; 550 5.1.1 unknown"),
        returned=f"{loop}Message-ID: <1@mx.news.example>",
    )
    assert nature(raw) == Nature.LOOP


def test_our_own_email_that_comes_back_is_a_loop() -> None:
    raw = samples.returned_headers(delivery_id(TRACE)).encode() + b"\n550 5.1.1 unknown\n"
    address = f"bounce+{delivery_id(TRACE)}@bounces.news.example"
    assert nature(raw, recipient=address) == Nature.LOOP


@pytest.mark.parametrize(
    "sample",
    [
        *(samples.postfix, samples.office_365, samples.gmail, samples.yandex, samples.mail_ru),
        *(samples.international, samples.qmail, samples.plain_text, samples.complaint),
    ],
)
def test_a_forged_report_is_ignored(sample: Callable[[str], bytes]) -> None:
    """D6: the ID has its form, and nothing else."""
    assert nature(sample(FORGED)) == Nature.FORGED


def test_an_address_alone_identifies_nobody() -> None:
    """D6: anybody can write a bounce that names a reader's address."""
    raw = samples.report(
        status=samples.block("5.1.1", "smtp; 550 5.1.1 unknown"), returned="Subject: Tydzen"
    )
    assert nature(raw) == Nature.UNIDENTIFIED


@pytest.mark.parametrize(
    "raw",
    [
        b"From: ala@readers.example\nTo: desk@news.example\nSubject: Thank you\n\nI like it.\n",
        b"From: shop@shop.example\nSubject: 550 5.1.1 reasons\n\n550 5.1.1 reasons to buy\n",
        b"",
        b"\n\n\n",
        b"no header at all",
    ],
)
def test_other_email_is_unrelated(raw: bytes) -> None:
    assert nature(raw) == Nature.UNRELATED


def test_a_person_who_writes_to_the_return_path_is_no_bounce() -> None:
    raw = samples.reply(delivery_id(TRACE), subject="Re: Week in View", text="Thank you!")
    assert nature(raw.replace(b"Return-Path: <>\n", b"")) == Nature.UNRELATED


# --- Broken email -------------------------------------------------------------------------------
def nested(depth: int) -> bytes:
    return b"Content-Type: message/rfc822\n\n" * depth + b"Subject: deep\n\nText"


def nested_parts(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )


@pytest.mark.parametrize(
    "raw",
    [
        samples.postfix(FORGED).replace(b"--=_b", b"--other"),
        samples.postfix(FORGED)[:700],
        samples.postfix(FORGED).replace(b'boundary="=_b"', b"boundary"),
        b"Content-Type: text/plain; charset=punycode\n\n" + b"\xff" * 1000,
        b"Content-Type: text/plain; charset*=x'y'%zz\n\n550",
        b"Content-Transfer-Encoding: base64\n\n*=!",
        b"Content-Transfer-Encoding: uuencode\n\nbegin 644\n\xff\xfe",
        b"Subject: =?utf-8?b?!!!?= =?x-unknown?q?=zz?=\n\n",
        b"To: (((((((\nFrom: <<<>>>\nDate: Tue, 99 Foo -1 99:99:99 +9999\n\n",
        b"Content-Type: text/html\n\n" + b"<" * 200_000,
        nested(2000),
        nested_parts(1200),
    ],
    ids=range(12),
)
def test_broken_mime_reports_nothing(raw: bytes) -> None:
    nature(raw)


FIELDS = ("Subject", "From", "To", "Date", "Content-Type", "Message-ID", "Return-Path", "Action")


@given(
    st.lists(st.tuples(st.sampled_from(FIELDS), st.binary(max_size=80)), max_size=6),
    st.binary(max_size=300),
)
@example([("Content-Type", b'multipart/report; boundary="=_b"')], samples.postfix(FORGED))
def test_no_header_and_no_body_raises(fields: list[tuple[str, bytes]], body: bytes) -> None:
    head = b"".join(name.encode() + b": " + value + b"\n" for name, value in fields)
    nature(head + b"\n" + body)


@given(st.data())
def test_no_damage_to_a_report_raises(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from([samples.postfix, samples.mail_ru, samples.complaint]))
    raw = bytearray(sample(FORGED))
    for position in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=20)):
        raw[position] = data.draw(st.integers(0, 255))
    nature(bytes(raw))
