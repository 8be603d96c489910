"""Recognise email that a program wrote: bounces in plain text, automatic replies, and loops.

An automatic reply is ignored. It often looks like a bounce to flufl.bounce, so it is recognised
first (RFC 3834, and what mail programs sent before it).
"""

from __future__ import annotations

import re
from email.message import Message
from email.utils import parseaddr

from flufl.bounce import all_failures

from newsletter.delivery.feedback.mail.incoming import Fields, IncomingEmail

_SUBJECT = re.compile(
    r"\s*((re|aw|sv|fw|fwd|адк|отв)\s*:\s*)*"
    r"(auto(matic|mated|matische)?[ -]?(reply|response|antwort)|autoreply|auto:"
    r"|out of (the )?office|i am away|on vacation|vacation reply"
    r"|away from (the|my) (office|mail|desk)"
    r"|автоответ|авто-ответ|автоматический ответ|автоматическое уведомление об отсутствии"
    r"|(я )?в отпуске|нахожусь в отпуске|вне офиса|нет на (месте|работе)"
    r"|аўтаадказ|аўтаматычны адказ|(я )?(у|ў) (адпачынку|водпуску)|па-за офісам)",
    re.IGNORECASE,
)
_AUTOMATIC = ("auto-replied", "auto-generated", "auto-notified")
_BULK = {"bulk", "auto_reply", "auto-reply", "junk"}
_REPLY_FIELDS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from")
_DAEMON = re.compile(r"(mailer-?daemon|mail-?daemon|postmaster|bounces?)([+-].*)?")
_QSBMF = re.compile(r"\s*Hi\. This is the .{1,200}\n", re.IGNORECASE)
_COPY_BELOW = re.compile(
    r"^(-{3,}.{0,20}(below this line|copy of|original|исходн|арыгінал|заголов)"
    r"|(original message|исходное сообщение|returned message)|received: |return-path: )",
    re.IGNORECASE | re.MULTILINE,
)
MAX_TEXT = 64_000


def is_null_sender(fields: Fields) -> bool:
    """Return whether the envelope's sender was `<>`, as that of a bounce has to be."""
    return any("".join(path.split()) == "<>" for path in fields.all("return-path"))


def is_from_mail_server(fields: Fields) -> bool:
    """Return whether a mail server wrote it, and not a program that replies for somebody.

    Programs that reply for somebody may use `<>` too, but they name that person in From.
    """
    return bool(
        fields.get("x-failed-recipients") or _DAEMON.fullmatch(_local_part(fields.get("from")))
    )


def is_automatic_reply(message: IncomingEmail) -> bool:
    """Return whether a program replied for somebody. A bounce has to be ruled out before."""
    fields = message.fields
    if fields.word("auto-submitted").startswith(_AUTOMATIC):
        return True
    if any(part.type == "message/disposition-notification" for part in message.parts):
        return True
    if any(fields.get(name) for name in _REPLY_FIELDS):
        return True
    if fields.word("precedence") in _BULK or fields.get("x-auto-response-suppress"):
        return True
    return bool(_SUBJECT.match(message.subject))


def is_report(fields: Fields) -> bool:
    """Return whether a returned email is itself a report or an automatic reply.

    We send neither, so a report about one is part of a loop.
    """
    return (
        is_null_sender(fields)
        or fields.word("content-type") == "multipart/report"
        or fields.word("auto-submitted").startswith("auto-replied")
        or _local_part(fields.get("from")) == "mailer-daemon"
    )


def is_qmail_bounce(message: IncomingEmail) -> bool:
    """Return whether it is a bounce in qmail's format (QSBMF)."""
    return bool(_QSBMF.match(message.text()[:400]))


def looks_like_bounce(message: IncomingEmail) -> bool:
    """Return whether flufl.bounce finds addresses in it that failed."""
    copy = Message()
    for name in ("from", "subject"):
        copy[name] = _ascii(message.fields.get(name))
    copy.set_payload(message.text()[:MAX_TEXT])
    try:
        temporary, permanent = all_failures(copy)
    except Exception:  # noqa: BLE001 - its detectors raise on what they don't expect
        return False
    return bool(temporary or permanent)


def text_before_copy(text: str) -> str:
    """Return the mail server's words, without the returned email below them."""
    below = _COPY_BELOW.search(text[:MAX_TEXT])
    return text[: below.start()] if below else text[:MAX_TEXT]


def _local_part(sender: str) -> str:
    try:
        return parseaddr(sender)[1].partition("@")[0].lower()
    except Exception:  # noqa: BLE001 - it fails on some malformed addresses
        return ""


def _ascii(value: str) -> str:
    return value.encode("ascii", "replace").decode()
