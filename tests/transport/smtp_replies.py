"""Relays' replies, whose fault each is, and what becomes of the recipient (D7)."""

from __future__ import annotations

from newsletter.transport.decisions import Step
from newsletter.transport.outcomes import Fault, Result

DOWN = None
"""The relay can't be used now: the message is unsent."""

SmtpReply = tuple[Step, str, Fault, Result | None]

SMTP_REPLIES: tuple[SmtpReply, ...] = (
    # The reader's.
    ("rcpt", "550 5.1.1 <{to}>: User unknown", Fault.READER, Result.REFUSED),
    ("rcpt", "550 5.1.2 <{to}>: Domain not found", Fault.READER, Result.REFUSED),
    ("rcpt", "550 5.1.3 Bad recipient address syntax", Fault.READER, Result.REFUSED),
    ("rcpt", "551 5.1.6 <{to}> has moved", Fault.READER, Result.REFUSED),
    ("final", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Fault.READER, Result.REFUSED),
    ("rcpt", "550 5.2.1 The account {to} is disabled", Fault.READER, Result.REFUSED),
    ("rcpt", "550 5.4.4 Host or domain name not found", Fault.READER, Result.REFUSED),
    ("rcpt", "550 5.4.1 Recipient address rejected: Access denied", Fault.READER, Result.REFUSED),
    ("rcpt", "550 sorry, no mailbox here by that name (#5.1.1)", Fault.READER, Result.REFUSED),
    ("rcpt", "550", Fault.READER, Result.REFUSED),
    ("rcpt", "550 <{to}>: nobody", Fault.READER, Result.REFUSED),
    ("rcpt", "550 Local mailbox {to} is unavailable: user not found", Fault.READER, Result.REFUSED),
    (
        "final",
        "554 delivery error: dd This user doesn't have a yahoo.com account",
        Fault.READER,
        Result.REFUSED,
    ),
    ("rcpt", "552 5.2.2 <{to}>: mailbox full", Fault.READER, Result.DEFERRED),
    ("rcpt", "452 4.2.2 The account {to} is over quota", Fault.READER, Result.DEFERRED),
    ("rcpt", "552 Mailbox is full", Fault.READER, Result.DEFERRED),
    (
        "rcpt",
        "450 4.2.0 <{to}>: Recipient address rejected: Greylisted",
        Fault.READER,
        Result.DEFERRED,
    ),
    (
        "rcpt",
        "450 4.7.1 Greylisting in action, please come back later",
        Fault.READER,
        Result.DEFERRED,
    ),
    (
        "rcpt",
        "450 4.2.1 The user {to} is receiving mail at a rate that prevents more",
        Fault.READER,
        Result.DEFERRED,
    ),
    ("rcpt", "451 try again", Fault.READER, Result.DEFERRED),
    # The account's or the sender's.
    (
        "rcpt",
        "550 Domain news.example.org has exceeded the max emails per hour (100/100 (100%)) "
        "allowed.  Message discarded.",
        Fault.SENDER,
        Result.FAILED,
    ),
    ("data", "550 5.4.5 Daily user sending limit exceeded", Fault.SENDER, Result.FAILED),
    (
        "final",
        "550-5.7.26 Your email has been blocked because the sender is\r\n"
        "550 5.7.26 unauthenticated. Gmail requires SPF or DKIM",
        Fault.SENDER,
        Result.FAILED,
    ),
    (
        "final",
        "550 5.1.90 Your message can't be sent: daily limit for recipients",
        Fault.SENDER,
        Result.FAILED,
    ),
    (
        "final",
        "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException",
        Fault.SENDER,
        Result.FAILED,
    ),
    (
        "final",
        "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP",
        Fault.SENDER,
        Result.FAILED,
    ),
    (
        "rcpt",
        "550 5.7.515 Access denied, sending domain does not meet the required level",
        Fault.SENDER,
        Result.FAILED,
    ),
    (
        "rcpt",
        "553 5.7.1 <{from}>: Sender address rejected: not owned by user desk",
        Fault.SENDER,
        Result.FAILED,
    ),
    (
        "rcpt",
        "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org",
        Fault.SENDER,
        Result.FAILED,
    ),
    ("rcpt", "554 5.7.1 <{to}>: Relay access denied", Fault.SENDER, Result.FAILED),
    ("rcpt", "550 relay not permitted", Fault.SENDER, Result.FAILED),
    ("rcpt", "550 5.7.1 No such user!", Fault.SENDER, Result.FAILED),
    ("rcpt", "550 authentication required", Fault.SENDER, Result.FAILED),
    ("final", "554 Message rejected: Email address is not verified.", Fault.SENDER, Result.FAILED),
    ("rcpt", "454 Throttling failure: Daily message quota exceeded.", Fault.SENDER, DOWN),
    ("rcpt", "530 5.5.1 Authentication Required", Fault.SENDER, DOWN),
    (
        "mail",
        "553 5.7.1 <{from}>: Sender address rejected: not owned by user desk",
        Fault.SENDER,
        DOWN,
    ),
    ("mail", "550 5.1.8 Access denied, bad outbound sender", Fault.SENDER, DOWN),
    ("mail", "550 no such user", Fault.SENDER, DOWN),
    ("auth", "535 5.7.8 Error: authentication failed", Fault.SENDER, DOWN),
    ("greeting", "554 5.7.1 blocked by Spamhaus", Fault.SENDER, DOWN),
    # The message's.
    ("mail", "552 5.3.4 Message size exceeds fixed limit", Fault.MESSAGE, DOWN),
    ("mail", "552 Message is too long", Fault.MESSAGE, DOWN),
    ("final", "552 5.3.4 Message size exceeds fixed limit", Fault.MESSAGE, Result.FAILED),
    ("final", "554 5.6.0 invalid content", Fault.MESSAGE, Result.FAILED),
    ("final", "550 5.6.2 cannot convert", Fault.MESSAGE, Result.FAILED),
    (
        "final",
        "554 5.7.1 Message rejected under suspicion of SPAM; https://ya.cc/1IrBc",
        Fault.MESSAGE,
        Result.FAILED,
    ),
    (
        "final",
        "550 spam message rejected. Please visit http://help.mail.example/notspam-support/",
        Fault.MESSAGE,
        Result.FAILED,
    ),
    # Too fast.
    (
        "rcpt",
        "454 Throttling failure: Maximum sending rate exceeded.",
        Fault.SPEED,
        Result.DEFERRED,
    ),
    ("rcpt", "450 4.7.1 try later", Fault.SPEED, Result.DEFERRED),
    (
        "final",
        "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
        Fault.SPEED,
        Result.DEFERRED,
    ),
    (
        "rcpt",
        "450 4.2.1 Peak SMTP relay limit exceeded for this customer",
        Fault.SPEED,
        Result.DEFERRED,
    ),
    ("mail", "421 4.7.0 Try again later, closing connection", Fault.SPEED, DOWN),
    ("final", "421 4.7.28 unusual rate of unsolicited mail", Fault.SPEED, DOWN),
    ("greeting", "421 too many connections", Fault.SPEED, DOWN),
    # The relay's.
    ("final", "452 4.3.1 Insufficient system resources", Fault.RELAY, Result.DEFERRED),
    ("final", "451 4.4.1 timeout", Fault.RELAY, Result.DEFERRED),
    ("rcpt", "550 5.4.6 routing loop", Fault.RELAY, Result.FAILED),
    ("data", "503 5.5.1 bad sequence of commands", Fault.RELAY, Result.FAILED),
    ("mail", "421 4.3.2 shutting down", Fault.RELAY, DOWN),
    ("greeting", "554 no service", Fault.RELAY, DOWN),
)
