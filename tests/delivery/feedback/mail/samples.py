"""Emails as mail servers, providers and readers write them, with example domains.

Each function takes the delivery ID of the email that it is about, and returns the message's bytes.
"""

from __future__ import annotations

import base64
from pathlib import Path
from textwrap import dedent

READER = "ala@readers.example"
BOUNCES = "bounces.news.example"


def returned_headers(delivery_id: str) -> str:
    """Return the header of one of our emails, as a report returns it."""
    return dedent(f"""\
        Return-Path: <bounce+{delivery_id}@{BOUNCES}>
        From: =?utf-8?b?0KLRi9C00LfQtdC90Yw=?= <desk@news.example>
        To: {READER}
        Subject: =?utf-8?b?0KLRi9C00LfQtdC90Yw=?=
        Date: Mon, 31 Jul 2017 09:00:00 +0000
        Message-ID: <{delivery_id}@news.example>
        List-Id: weekly <weekly.be.news.example>
        Precedence: bulk
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: text/plain; charset="utf-8"
        """)


def report(
    *,
    status: str,
    returned: str,
    text: str = "Delivery failed.",
    sender: str = "MAILER-DAEMON@mx.readers.example",
    to: str = "",
    status_type: str = "message/delivery-status",
    returned_type: str = "message/rfc822",
    extra: str = "",
) -> bytes:
    """Return a multipart/report with these parts."""
    return (
        f"Return-Path: <>\n"
        f"Date: Tue, 1 Aug 2017 06:30:00 +0000\n"
        f"From: Mail Delivery System <{sender}>\n"
        f"To: {to or f'desk@{BOUNCES}'}\n"
        f"Subject: Undelivered Mail Returned to Sender\n"
        f"Auto-Submitted: auto-replied\n{extra}"
        f"MIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"\n'
        f"Message-ID: <20170801063000.1@mx.readers.example>\n"
        f"\n--=_b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        f"\n--=_b\nContent-Type: {status_type}\n\n{status}\n"
        f"\n--=_b\nContent-Type: {returned_type}\n\n{returned}\n\n--=_b--\n"
    ).encode()


def block(status: str, diagnostic: str, action: str = "failed", reader: str = READER) -> str:
    """Return a delivery status about one recipient."""
    return (
        f"Reporting-MTA: dns; mx.readers.example\nArrival-Date: Mon, 31 Jul 2017 09:00:05 +0000\n"
        f"\nFinal-Recipient: rfc822; {reader}\nOriginal-Recipient: rfc822;{reader}\n"
        f"Action: {action}\nStatus: {status}\nDiagnostic-Code: {diagnostic}\n"
    )


def postfix(delivery_id: str) -> bytes:
    return report(
        to=f"bounce+{delivery_id}@{BOUNCES}",
        text="This is the mail system at host mx.relay.example.\n\n"
        f"<{READER}>: host mx.readers.example[192.0.2.25] said: 550 5.1.1\n"
        f"    <{READER}>: Recipient address rejected: User unknown (in reply to RCPT TO command)",
        status="Reporting-MTA: dns; mx.relay.example\nX-Postfix-Queue-ID: 4VDxyz1\n"
        f"X-Postfix-Sender: rfc822; bounce+{delivery_id}@{BOUNCES}\n\n"
        f"Final-Recipient: rfc822; {READER}\nOriginal-Recipient: rfc822;{READER}\nAction: failed\n"
        "Status: 5.1.1\nRemote-MTA: dns; mx.readers.example\n"
        f"Diagnostic-Code: smtp; 550 5.1.1 <{READER}>: Recipient address rejected: User\n"
        "    unknown",
        returned=returned_headers(delivery_id),
        returned_type="text/rfc822-headers",
    )


def postfix_3_7(delivery_id: str) -> bytes:
    """What Postfix 3.7 wrote in the test of test_postfix_bounces.py, byte for byte."""
    raw = Path(__file__).with_name("postfix.eml").read_bytes()
    return raw.replace(b"DELIVERY_ID", delivery_id.encode())


def office_365(delivery_id: str) -> bytes:
    return report(
        sender="MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@readers.example",
        text="Your message couldn't be delivered. It seems that the address is wrong.",
        status="Reporting-MTA: dns;DB9PR01MB0001.eurprd01.prod.exchangelabs.example\n"
        "Received-From-MTA: dns;mx.relay.example\n\n"
        f"Final-Recipient: rfc822;{READER}\nAction: failed\nStatus: 5.1.10\n"
        "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient\n"
        f" {READER} not found by SMTP address lookup",
        returned="Received: from mx.relay.example (192.0.2.1) by DB9PR01MB0001\n"
        f"{returned_headers(delivery_id)}\nText.",
        extra="X-MS-Exchange-Message-Is-Ndr:\nX-Auto-Response-Suppress: All\n",
    )


def forwarded_exchange(delivery_id: str) -> bytes:
    """An NDR that a gateway forwards as an attachment; it quotes the Message-ID in its text."""
    ndr = report(
        text=f"Diagnostic information:\n\nMessage-ID: <{delivery_id}@news.example>",
        status=block("5.0.0", "smtp;550 5.2.1 Mailbox disabled"),
        returned="Subject: none",
        returned_type="text/rfc822-headers",
    ).decode()
    return (
        "From: gateway@readers.example\nTo: desk@bounces.news.example\nSubject: FW: Undeliverable\n"
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="=_m"\n\n'
        f"--=_m\nContent-Type: text/plain\n\nSee attachment.\n--=_m\n"
        f"Content-Type: message/rfc822\n\n{ndr}\n--=_m--\n"
    ).encode()


def gmail(delivery_id: str) -> bytes:
    return report(
        sender="mailer-daemon@googlemail.example",
        text="** Address not found **\n\nYour message wasn't delivered.",
        status="Reporting-MTA: dns; googlemail.example\n"
        f"X-Original-Message-ID: <{delivery_id}@news.example>\n\n"
        f"Final-Recipient: rfc822; {READER}\nAction: failed\nStatus: 5.1.1\n"
        "Remote-MTA: dns; gmail-smtp-in.example. (192.0.2.27)\n"
        "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not\n"
        " exist. 550 5.1.1 https://support.example/mail/?p=NoSuchUser - gsmtp",
        returned=returned_headers(delivery_id),
        extra=f"X-Failed-Recipients: {READER}\n",
    )


def yandex(delivery_id: str) -> bytes:
    return report(
        sender="mailer-daemon@yandex.example",
        text="Это письмо отправлено почтовым сервером.\n\nК сожалению, мы вынуждены сообщить Вам о "
        "том, что Ваше письмо не может быть отправлено одному или нескольким адресатам.",
        status=block("5.0.0", f"smtp; 550 5.2.2 <{READER}>: mailbox is full, try again later"),
        returned=returned_headers(delivery_id),
    )


def mail_ru(delivery_id: str) -> bytes:
    """A bounce in plain text, in Cyrillic (KOI8-R, base64), which says that it is automatic."""
    text = (
        "Это письмо создано автоматически сервером Mail.Ru, отвечать на него не нужно.\n\n"
        "К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:\n\n"
        f"**********************\n\n{READER}\nuser not found\n"
        "SMTP error from remote mail server after RCPT TO: 550 5.1.1 user not found\n\n"
        "**********************\n"
        f"Return-path: <bounce+{delivery_id}@{BOUNCES}>\nMessage-ID: <{delivery_id}@news.example>\n"
    )
    return (
        b"Return-Path: <>\nFrom: mailer-daemon@mail.example\nTo: desk@bounces.news.example\n"
        b"Subject: =?koi8-r?B?7s/XxdLLwQ==?=\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        b"Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(text.encode("koi8-r", "replace"))
    )


def international(delivery_id: str) -> bytes:
    """RFC 6533: an address in Unicode, and UTF-8 in the status and in the returned headers."""
    return report(
        status="Reporting-MTA: dns; mx.readers.example\n\n"
        "Final-Recipient: utf-8; аля@чытачы.example\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 <аля@чытачы.example>: няма такога карыстальніка\n\n"
        "Final-Recipient: utf-8; ала@чытачы.example\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 няма",
        status_type="message/global-delivery-status",
        returned="Subject: Тыдзень\n" + returned_headers(delivery_id),
        returned_type="message/global-headers",
    )


def qmail(delivery_id: str) -> bytes:
    return (
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.readers.example\n"
        f"To: bounce+{delivery_id}@{BOUNCES}\nSubject: failure notice\n"
        f"Date: 1 Aug 2017 06:30:00 -0000\n\n"
        f"Hi. This is the qmail-send program at mx.readers.example.\n"
        f"I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        f"This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{READER}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        f"--- Below this line is a copy of the message.\n\n{returned_headers(delivery_id)}\n"
        f"550 5.7.1 is what this issue is about.\n"
    ).encode()


def plain_text(delivery_id: str) -> bytes:
    """A bounce in text that only flufl.bounce recognises, and that has no codes."""
    return (
        f"From: Mail System <mailsystem@mx.readers.example>\nTo: bounce+{delivery_id}@{BOUNCES}\n"
        f"Subject: Returned mail\n\n"
        f"This message was created automatically by mail delivery software.\n\n"
        f"The following addresses had permanent fatal errors\n\n"
        f"  {READER}\n\n   ----- Transcript of session follows -----\n"
    ).encode()


def complaint(
    delivery_id: str, feedback_type: str = "abuse", returned: str = "", agent: str = "Yahoo-Mail"
) -> bytes:
    return (
        f"From: feedback@arf.mail.example\nTo: fbl@news.example\n"
        f"Subject: FW: complaint\nDate: Tue, 1 Aug 2017 06:30:00 +0000\nMIME-Version: 1.0\n"
        f"Content-Type: multipart/report; report-type=feedback-report; boundary=arf\n\n"
        f"--arf\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n"
        f"--arf\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {feedback_type}\nUser-Agent: {agent}/2.0\nVersion: 1\n"
        f"Original-Rcpt-To: <{READER}>\nReported-Domain: news.example\n\n"
        f"--arf\nContent-Type: message/rfc822\nContent-Disposition: inline\n\n"
        f"{returned or returned_headers(delivery_id)}\nText.\n\n--arf--\n"
    ).encode()


def comcast_complaint(delivery_id: str) -> bytes:
    """Only the header is returned, and the reader's address is redacted."""
    return (
        complaint(delivery_id, agent="ReturnPathFBL")
        .replace(
            b"Content-Type: message/rfc822\nContent-Disposition: inline",
            b"Content-Type: text/rfc822-headers",
        )
        .replace(READER.encode(), b"redacted@readers.example")
    )


def hotmail_complaint(delivery_id: str) -> bytes:
    """Microsoft's JMRP: the email attached, without a feedback report."""
    return (
        f"From: staff@hotmail.example\nTo: fbl@news.example\nSubject: complaint about message\n"
        f"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=j\n\n"
        f"--j\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: {READER}\n"
        f"{returned_headers(delivery_id)}\nText.\n--j--\n"
    ).encode()


def reply(delivery_id: str, *, subject: str, extra: str = "", text: str = "I'm away.") -> bytes:
    """An automatic reply to the return path."""
    return (
        f"Return-Path: <>\nFrom: Ala <{READER}>\nTo: bounce+{delivery_id}@{BOUNCES}\n"
        f"Subject: {subject}\n{extra}In-Reply-To: <{delivery_id}@news.example>\n"
        f"Content-Type: text/plain; charset=utf-8\n\n{text}\n"
    ).encode()
