"""Read an email that somebody else wrote: its header fields, and its parts as text.

Bounces are often malformed, so nothing here trusts the message. The standard library's parser
runs with its lenient policy, because the default policy raises on some malformed headers. It never
looks into a part of the type message/*: those parts stay text, so that a report about a report
about a report costs nothing, and the blocks of RFC 6533's delivery status aren't lost.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import NamedTuple

HEAD_BYTES = 256_000
"""How much of a message is read. What a report says comes before the message that it returns."""
MAX_PARTS = 100
MAX_FIELD = 8_000
"""Characters of a header field. The standard library takes long for absurdly long ones."""
_MESSAGE_TYPE = re.compile(rb"(?im)^(content-type:\s*)message/")
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_LINE = re.compile(r"\r?\n")
_BLANK_LINE = re.compile(r"\r?\n[ \t]*\r?\n")
_TAG = re.compile(r"<[^<>]*>")
_TEXT_CHARSET = re.compile(
    r"utf-?8|us-ascii|koi8-[ru]|(windows-|cp)125\d|cp866|iso-8859-\d+|gb2312|gbk|gb18030|big5"
    r"|iso-2022-jp|euc-(jp|kr)|shift_jis"
)
"""Python knows codecs that no email uses, some of them slow or not for text."""


@dataclass(frozen=True, repr=False)
class Fields:
    """Header fields, in order; names in lower case, values unfolded."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return the first field of this name, or ""."""
        return next((value for each, value in self.pairs if each == name), "")

    def all(self, *names: str) -> list[str]:
        """Return the values of every field with one of these names."""
        return [value for each, value in self.pairs if each in names]

    def word(self, name: str) -> str:
        """Return a field's first word in lower case, without parameters and comments."""
        return self.get(name).lower().partition(";")[0].partition("(")[0].strip()


class Part(NamedTuple):
    """A part of a message: its type ("message/rfc822"), and its text."""

    type: str
    text: str

    def __repr__(self) -> str:
        return f"Part({self.type!r})"

    def head(self) -> Fields:
        """Return the header fields with which a returned message begins."""
        return parse_fields(_BLANK_LINE.split(self.text.lstrip("\r\n"), maxsplit=1)[0])

    def blocks(self) -> list[Fields]:
        """Return the blocks of fields that a delivery status consists of (RFC 3464, 2.1)."""
        blocks = _BLANK_LINE.split(self.text.strip())
        return [fields for fields in map(parse_fields, blocks) if fields.pairs]


@dataclass(frozen=True, repr=False)
class IncomingEmail:
    """An email that arrived. `type` is its content type, such as "multipart/report"."""

    fields: Fields
    type: str
    parts: tuple[Part, ...] = field(default=())

    @property
    def subject(self) -> str:
        return decoded_words(self.fields.get("subject"))

    @property
    def date(self) -> datetime | None:
        """When the sender says it was written, if that can be understood."""
        try:
            moment = parsedate_to_datetime(self.fields.get("date"))
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def text(self) -> str:
        """Return what a person would read: the text parts, else the HTML parts without tags."""
        plain = [part.text for part in self.parts if part.type == "text/plain"]
        if any(text.strip() for text in plain):
            return "\n".join(plain)
        marked_up = [part.text for part in self.parts if part.type == "text/html"]
        return "\n".join(html.unescape(_TAG.sub(" ", text)) for text in marked_up)


class MalformedError(ValueError):
    """A message that can't be read. The text says nothing about its content."""


def parse_email(raw: bytes) -> IncomingEmail:
    """Read the first `HEAD_BYTES` of a message. Raises MalformedError."""
    opaque = _MESSAGE_TYPE.sub(rb"\1x-message/", raw[:HEAD_BYTES])
    try:
        message = message_from_bytes(opaque, policy=compat32)
        parts = tuple(_parts(message))
        fields = _outer_fields(message)
        return IncomingEmail(fields, _type_of(message), parts)
    except Exception as error:  # noqa: BLE001 - the parser fails in many ways on what isn't MIME
        raise MalformedError(type(error).__name__) from None


def parse_fields(text: str) -> Fields:
    """Return the header fields in a block of text; lines that are none are left out."""
    found = []
    for line in _LINE.split(_FOLD.sub(" ", text)):
        match = _FIELD.fullmatch(line)
        if match:
            found.append((match[1].lower(), match[2].strip()))
    return Fields(tuple(found))


def decoded_words(value: str) -> str:
    """Return a header's value with its encoded words (RFC 2047) decoded where possible."""
    try:
        chunks = decode_header(value)
    except Exception:  # noqa: BLE001 - it raises several exceptions on malformed words
        return value
    return "".join(
        chunk if isinstance(chunk, str) else _decoded(chunk, charset or "")
        for chunk, charset in chunks
    )


def _outer_fields(message: Message) -> Fields:
    return Fields(tuple((name.lower(), _clean(str(value))) for name, value in message.raw_items()))


def _clean(value: str) -> str:
    octets = value[:MAX_FIELD].encode("utf-8", "surrogateescape")
    return _FOLD.sub(" ", octets.decode("utf-8", "replace")).strip()


def _type_of(message: Message) -> str:
    return message.get_content_type().replace("x-message/", "message/")


def _parts(message: Message) -> Iterator[Part]:
    for number, part in enumerate(message.walk()):
        if number > MAX_PARTS:
            return
        if not part.is_multipart():
            yield Part(_type_of(part), _text_of(part))


def _text_of(part: Message) -> str:
    octets = part.get_payload(decode=True)
    charset = part.get_content_charset() or ""
    return _decoded(octets, charset) if isinstance(octets, bytes) else ""


def _decoded(octets: bytes, charset: str) -> str:
    name = charset.lower()
    return octets.decode(name if _TEXT_CHARSET.fullmatch(name) else "utf-8", "replace")
