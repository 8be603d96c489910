"""The last look before an edition goes out: a rendered sample, parsed again."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from newsletter.transport.base import CompileError
from newsletter.transport.headers import MAX_LINE_LENGTH
from newsletter.transport.quoted_printable import normalize_newlines

REQUIRED_ONCE = ("From", "Date", "Message-ID", "To", "Subject")


def check_compiled(message: bytes, *, subject: str, text: str, html: str) -> None:
    """Raises CompileError unless the message says what was meant, in lines that may be sent.

    `text` and `html` as a reader gets them, every place filled.
    """
    _check_lines(message)
    parsed = message_from_bytes(message, policy=policy.default)
    for name in REQUIRED_ONCE:
        if len(parsed.get_all(name, [])) != 1:
            raise CompileError(f"{name}: not exactly one")
    if str(parsed["Subject"]).split() != subject.split():
        raise CompileError("the subject does not survive being read again")
    for name, subtype, meant in (("text", "plain", text), ("html", "html", html)):
        # A mail of text alone ends with a line break of its own.
        if _decoded_text(parsed, subtype) not in {
            normalize_newlines(meant),
            normalize_newlines(meant) + "\n",
        }:
            raise CompileError(f"the {name} part does not survive being read again")


def _check_lines(message: bytes) -> None:
    lines = message.split(b"\r\n")
    if not message.isascii() or any(b"\r" in line or b"\n" in line for line in lines):
        raise CompileError("a bare CR, LF or 8-bit octet")
    if any(line.startswith(b".") for line in lines):
        raise CompileError("a line begins with a dot")
    if max(map(len, lines)) > MAX_LINE_LENGTH:
        raise CompileError(f"a line is longer than {MAX_LINE_LENGTH} octets")


def _decoded_text(parsed: EmailMessage, subtype: str) -> str:
    for part in parsed.walk():
        if part.get_content_type() == f"text/{subtype}":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                return normalize_newlines(content.decode("utf-8"))
    return ""
