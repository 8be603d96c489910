"""The last look before an edition goes out: a rendered sample, parsed again."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from newsletter.transport.base import CompileError
from newsletter.transport.headers import LONGEST_LINE
from newsletter.transport.quoted_printable import unix

ONCE = ("From", "Date", "Message-ID", "To", "Subject")


def check_compiled(message: bytes, *, subject: str, text: str, html: str) -> None:
    """Raises CompileError unless the message says what was meant, in lines that may be sent.

    `text` and `html` as a reader gets them, every place filled.
    """
    _lines(message)
    parsed = message_from_bytes(message, policy=policy.default)
    for name in ONCE:
        if len(parsed.get_all(name, [])) != 1:
            raise CompileError(f"{name}: not exactly one")
    if str(parsed["Subject"]).split() != subject.split():
        raise CompileError("the subject does not survive being read again")
    for name, subtype, meant in (("text", "plain", text), ("html", "html", html)):
        # A mail of text alone ends with a line break of its own.
        if _content(parsed, subtype) not in {unix(meant), unix(meant) + "\n"}:
            raise CompileError(f"the {name} part does not survive being read again")


def _lines(message: bytes) -> None:
    lines = message.split(b"\r\n")
    if not message.isascii() or any(b"\r" in line or b"\n" in line for line in lines):
        raise CompileError("a bare CR, LF or 8-bit octet")
    if any(line.startswith(b".") for line in lines):
        raise CompileError("a line begins with a dot")
    if max(map(len, lines)) > LONGEST_LINE:
        raise CompileError(f"a line is longer than {LONGEST_LINE} octets")


def _content(parsed: EmailMessage, subtype: str) -> str:
    for part in parsed.walk():
        if part.get_content_type() == f"text/{subtype}":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                return unix(content.decode("utf-8"))
    return ""
