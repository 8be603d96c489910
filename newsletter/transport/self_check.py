"""Checks a rendered sample of an edition by parsing it again."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from newsletter.transport.base import CompileError
from newsletter.transport.headers import MAX_LINE_LENGTH
from newsletter.transport.quoted_printable import normalize_newlines

REQUIRED_ONCE = ("From", "Date", "Message-ID", "To", "Subject")


def check_compiled(message: bytes, *, subject: str, text: str, html: str) -> None:
    """Raise CompileError unless the message parses back to its input and can be sent as it is.

    `text` and `html` are what the sample reader should get, with every placeholder filled.
    """
    _check_lines(message)
    parsed = message_from_bytes(message, policy=policy.default)
    for name in REQUIRED_ONCE:
        if len(parsed.get_all(name, [])) != 1:
            raise CompileError(f"{name}: must occur exactly once")
    if str(parsed["Subject"]).split() != subject.split():
        raise CompileError("the subject does not parse back unchanged")
    for name, subtype, expected in (("text", "plain", text), ("html", "html", html)):
        # A text-only email gets a final line break.
        if _decoded_text(parsed, subtype) not in {
            normalize_newlines(expected),
            normalize_newlines(expected) + "\n",
        }:
            raise CompileError(f"the {name} part does not parse back unchanged")


def _check_lines(message: bytes) -> None:
    lines = message.split(b"\r\n")
    if not message.isascii() or any(b"\r" in line or b"\n" in line for line in lines):
        raise CompileError("a line contains a bare CR, a bare LF or an 8-bit octet")
    if any(line.startswith(b".") for line in lines):
        raise CompileError("a line starts with a dot")
    if max(map(len, lines)) > MAX_LINE_LENGTH:
        raise CompileError(f"a line is longer than {MAX_LINE_LENGTH} octets")


def _decoded_text(parsed: EmailMessage, subtype: str) -> str:
    for part in parsed.walk():
        if part.get_content_type() == f"text/{subtype}":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                return normalize_newlines(content.decode("utf-8"))
    return ""
