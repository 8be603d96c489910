"""An edition compiled once to segments of bytes; a reader's message is a join of them.

What differs for each reader goes between the segments: Date, Message-ID, To, and the placeholders
(newsletter.lib.placeholders) in headers, text and HTML. The message is 7-bit, its lines end in
CR LF and none starts with a dot (newsletter.transport.quoted_printable), so it is sent as it is.
"""

from __future__ import annotations

import hashlib
import re
import string
from base64 import encodebytes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Literal, NamedTuple

from newsletter.lib.placeholders import PLACEHOLDER_URL, Placeholder
from newsletter.transport import dkim, headers, quoted_printable, self_check
from newsletter.transport.addresses import NEEDS_SMTPUTF8, plain_address, to_ace
from newsletter.transport.base import CompileError
from newsletter.transport.dkim import EditionSigner, Signer
from newsletter.transport.outcomes import Email, Image, Recipient, Result, SendResult
from newsletter.transport.segments import MergeField, PlaceholderSegments, Segment

_DELIVERY_ID_OCTETS = string.ascii_letters.encode() + string.digits.encode() + b"_-"
_URL_OCTETS = _DELIVERY_ID_OCTETS + b".~:/?#[]@!$()*+,;=%&"
"""No octet that needs encoding in a header, and only "&" needs it in HTML."""


class _URLRule(NamedTuple):
    schemes: tuple[bytes, ...]
    max_length: int
    """In octets."""


# List-Unsubscribe has both on one line, because some email programs don't unfold it.
_WEB = _URLRule((b"https://", b"http://"), 808)
_MAILTO = _URLRule((b"mailto:",), 160)
_URL_RULES = {Placeholder.UNSUBSCRIBE_EMAIL.value: _MAILTO}
"""By placeholder; the others are addresses of pages."""
_IMAGE_TYPE = re.compile(r"image/[a-z0-9.+-]+")
_CID = re.compile(r"[A-Za-z0-9._-]+(@[A-Za-z0-9.-]+)?")


class MergeError(ValueError):
    """A reader's values that cannot be filled in. The text names the placeholder, not the value."""


@dataclass(frozen=True)
class Template:
    """A compiled edition.

    `sender` is the address for the envelope, `domain` the one for Message-ID. `signer` signs each
    message, if a key is configured. `blank` and the indexes are computed once, so that building a
    message takes only a copy of a list, some assignments and a join.
    """

    segments: tuple[Segment, ...] = field(repr=False)
    sender: str
    domain: str
    signer: EditionSigner | None = None
    blank: list[bytes] = field(init=False, repr=False)
    """The segments, with b"" for each merge field."""
    placeholders: tuple[PlaceholderSegments, ...] = field(init=False)
    _recipient_indexes: tuple[int, int, int] = field(init=False, repr=False)
    """Of To, Date and Message-ID."""

    def __post_init__(self) -> None:
        blank = [segment if isinstance(segment, bytes) else b"" for segment in self.segments]
        names = {s.placeholder: None for s in self.segments if isinstance(s, MergeField)}
        placeholders = tuple(
            PlaceholderSegments(
                name,
                header=self._indexes(MergeField("header", name)),
                text=self._indexes(MergeField("text", name)),
                html=self._indexes(MergeField("html", name)),
            )
            for name in names
            if name
        )
        to, date, message_id = MergeField("to"), MergeField("date"), MergeField("id")
        indexes = tuple(self._indexes(merge_field)[0] for merge_field in (to, date, message_id))
        object.__setattr__(self, "blank", blank)
        object.__setattr__(self, "placeholders", placeholders)
        object.__setattr__(self, "_recipient_indexes", indexes)

    def message(self, recipient: Recipient, *, date: bytes) -> bytes:
        """Return one reader's message, ending in CR LF. Raises MergeError.

        `date` comes from `date_header`, once for each call of `send`.
        """
        to = envelope_address(recipient)
        if to is None:
            raise MergeError("an address that needs SMTPUTF8")
        return b"".join(self.merge(recipient, to, date))

    def merge(self, recipient: Recipient, to: bytes, date: bytes) -> list[bytes]:
        """Return the segments of one reader's message. Raises MergeError."""
        delivery_id = recipient.delivery_id.encode("ascii", "replace")
        if not 0 < len(delivery_id) <= 40 or delivery_id.translate(None, _DELIVERY_ID_OCTETS):
            raise MergeError("a delivery ID has at most 40 letters and digits")
        segments = self.blank.copy()
        to_index, date_index, id_index = self._recipient_indexes
        segments[to_index], segments[date_index], segments[id_index] = to, date, delivery_id
        for placeholder, header, text, html in self.placeholders:
            url = _checked_url(placeholder, recipient.urls)
            for index in header:
                segments[index] = url
            value = quoted_printable.encode_url(url)
            for index in text:
                segments[index] = value
            if b"&" in url:
                value = quoted_printable.encode_url(url.replace(b"&", b"&amp;"))
            for index in html:
                segments[index] = value
        if self.signer is not None:
            segments[0] = self.signer.signature_header(segments) + segments[0]
        return segments

    def _indexes(self, merge_field: MergeField) -> tuple[int, ...]:
        return tuple(i for i, segment in enumerate(self.segments) if segment == merge_field)


def envelope_address(recipient: Recipient) -> bytes | None:
    """Return the recipient's address for the envelope, or None if it needs SMTPUTF8."""
    raw = plain_address(recipient.address)
    if raw is None:
        encoded = to_ace(recipient.address)
        return None if encoded is None else encoded.encode()
    return raw


def render(
    template: Template, recipient: Recipient, *, date: bytes
) -> tuple[bytes, list[bytes]] | SendResult:
    """Return a reader's envelope address and message segments, or why there is no message."""
    to = envelope_address(recipient)
    if to is None:
        return SendResult(recipient.position, Result.REFUSED, status=NEEDS_SMTPUTF8)
    try:
        return to, template.merge(recipient, to, date)
    except MergeError:
        return SendResult(recipient.position, Result.FAILED)


def placeholder_url(placeholder: str, urls: Mapping[str, str]) -> str:
    """Return the reader's URL for a placeholder. Raises MergeError if it is missing or unsafe."""
    return _checked_url(placeholder, urls).decode("ascii")


def _checked_url(placeholder: str, urls: Mapping[str, str]) -> bytes:
    url = urls.get(placeholder, "")
    raw = url.encode("ascii", "replace")
    schemes, longest = _URL_RULES.get(placeholder, _WEB)
    if (
        not url.isascii()
        or not raw.startswith(schemes)
        or not 8 < len(raw) <= longest
        or raw.translate(None, _URL_OCTETS)
    ):
        raise MergeError(f"no usable URL for {placeholder}")
    return raw


def max_length(placeholder: str) -> int:
    """Return how long a reader's URL for a placeholder may be, in octets."""
    return _URL_RULES.get(placeholder, _WEB).max_length


def sample_url(placeholder: str) -> str:
    """Return a URL as a placeholder's value can be, for a message that is only checked."""
    if placeholder == Placeholder.UNSUBSCRIBE_EMAIL:
        return "mailto:sample@sample.example?subject=unsubscribe"
    return f"https://sample.example/{placeholder}?a=1&b=2"


def date_header(moment: datetime | None = None) -> bytes:
    """Return the value of the Date header in UTC, by default for now."""
    return format_datetime((moment or datetime.now(UTC)).astimezone(UTC)).encode()


def compile(email: Email, *, signer: Signer | None = None) -> Template:  # noqa: A001 - as in re
    """Compile an edition. Raises CompileError if anything in it cannot be sent as it is."""
    if PLACEHOLDER_URL.search(email.subject + email.from_name):
        raise CompileError("a subject or a sender's name cannot contain a placeholder")
    names = [name.lower() for name, _ in email.headers]
    if len(set(names)) < len(names):
        raise CompileError("a header is given twice")
    unknown = placeholders_in(email) - {placeholder.value for placeholder in Placeholder}
    if unknown:
        raise CompileError(f"unknown placeholder {', '.join(sorted(unknown))}")
    segments = tuple(_join_adjacent([*_header_segments(email), *_body_segments(email)]))
    sender = to_ace(email.from_address)
    if sender is None:  # _header_segments refuses it
        raise CompileError("From: not an address that can be sent from")
    domain = sender.rpartition("@")[2]
    edition_signer = (
        None if signer is None else dkim.edition_signer(segments, domain=domain, signer=signer)
    )
    template = Template(segments, sender, domain, edition_signer)
    _check_sample(template, email)
    return template


def _check_sample(template: Template, email: Email) -> None:
    """Raise CompileError unless a sample reader's message parses back to its input."""
    urls = {name: sample_url(name) for name in placeholders_in(email)}
    sample = Recipient(0, "reader@sample.example", "sample", urls)
    self_check.check_compiled(
        template.message(sample, date=date_header()),
        subject=email.subject,
        text=PLACEHOLDER_URL.sub(lambda found: urls[found[1]], email.text),
        html=PLACEHOLDER_URL.sub(lambda found: escape(urls[found[1]]), email.html),
    )


def placeholders_in(email: Email) -> frozenset[str]:
    """Return the names of the placeholders that occur anywhere in the email."""
    texts = [email.text, email.html, *(value for _, value in email.headers)]
    return frozenset(name for text in texts for name in PLACEHOLDER_URL.findall(text))


def _header_segments(email: Email) -> Iterator[Segment]:
    yield headers.address_line("From", email.from_name, email.from_address) + b"\r\nTo: "
    yield MergeField("to")
    yield b"\r\n" + headers.subject_line(email.subject) + b"\r\nDate: "
    yield MergeField("date")
    yield b"\r\nMessage-ID: <"
    yield MergeField("id")
    yield b"@%b>\r\n" % str(to_ace(email.from_address)).rpartition("@")[2].encode()
    if email.reply_to:
        yield headers.address_line("Reply-To", "", email.reply_to) + b"\r\n"
    for name, value in email.headers:
        yield from _split_header(headers.header_line(name, value).decode())
        yield b"\r\n"
    yield b"MIME-Version: 1.0\r\n"


def _split_header(line: str) -> Iterator[Segment]:
    """Split a header line, which is ASCII by now, at its placeholders."""
    parts = PLACEHOLDER_URL.split(line)
    longest = sum(map(len, parts[::2])) + sum(map(max_length, parts[1::2]))
    if longest > headers.MAX_LINE_LENGTH:
        raise CompileError(f"{line.partition(':')[0]}: no room for a reader's URL")
    for index, text in enumerate(parts):
        yield MergeField("header", text) if index % 2 else text.encode()


def _body_segments(email: Email) -> Iterator[Segment]:
    text = [*_text_part("text/plain", email.text, "text"), b"\r\n"]
    if not email.html:
        yield from text
        return
    alternative = _Multipart("alternative", email)
    yield alternative.header + alternative.start
    yield from text
    yield alternative.start
    yield from _html_part(email)
    yield alternative.end


def _html_part(email: Email) -> Iterator[Segment]:
    html = [*_text_part("text/html", email.html, "html"), b"\r\n"]
    if not email.images:
        yield from html
        return
    related = _Multipart("related", email, parameter='; type="text/html"')
    yield related.header + related.start
    yield from html
    for image in email.images:
        yield related.start + _image_part(image)
    yield related.end


class _Multipart:
    """The delimiters of a multipart.

    Neither quoted-printable nor base64 can contain "=_", so no part contains the boundary
    (RFC 2045, 6.7).
    """

    def __init__(self, subtype: str, email: Email, *, parameter: str = "") -> None:
        seed = f"{subtype}\0{email.subject}\0{email.text}\0{email.html}"
        digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()
        boundary = f"=_{digest[:24]}"
        header = f'Content-Type: multipart/{subtype}{parameter};\r\n boundary="{boundary}"\r\n\r\n'
        self.header = header.encode()
        self.start = f"--{boundary}\r\n".encode()
        self.end = f"--{boundary}--\r\n".encode()


def _text_part(content_type: str, text: str, kind: Literal["text", "html"]) -> Iterator[Segment]:
    yield f"Content-Type: {content_type}; charset=utf-8\r\n".encode()
    yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    try:
        for index, line in enumerate(quoted_printable.split_lines(text)):
            if index:
                yield b"\r\n"
            yield from _split_body_line(line, kind)
    except UnicodeEncodeError:
        raise CompileError(f"the {kind} part contains an unpaired surrogate") from None


def _split_body_line(line: str, kind: Literal["text", "html"]) -> Iterator[Segment]:
    """Split a line at its placeholders, with soft line breaks between them and any text."""
    parts = PLACEHOLDER_URL.split(line)
    for index, text in enumerate(parts):
        if index % 2:
            yield MergeField(kind, text)
            continue
        before, after = index > 0, index < len(parts) - 1
        if text or (before and after):
            yield b"=\r\n" if before else b""
            yield quoted_printable.encode_line(text, hard_break=not after)
            yield b"=\r\n" if after else b""


def _image_part(image: Image) -> bytes:
    if not _IMAGE_TYPE.fullmatch(image.type) or not _CID.fullmatch(image.cid):
        raise CompileError("an inline image needs a type such as image/png and a plain Content-ID")
    header = (
        f"Content-Type: {image.type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{image.cid}>\r\nContent-Disposition: inline\r\n\r\n"
    )
    return header.encode() + encodebytes(image.content).replace(b"\n", b"\r\n")


def _join_adjacent(segments: list[Segment]) -> Iterator[Segment]:
    """Join adjacent bytes into one segment."""
    run: list[bytes] = []
    for segment in segments:
        if isinstance(segment, bytes):
            run.append(segment)
            continue
        if run:
            yield b"".join(run)
            run = []
        yield segment
    yield b"".join(run)
