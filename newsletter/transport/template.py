"""An edition compiled once to segments of bytes; a reader's message is a join.

What differs for each reader stands between the segments: Date, Message-ID, To, and the places
(newsletter.lib.placeholders) in headers, text and HTML. The message is 7-bit, its lines end in CR LF,
and none begins with a dot, so it goes on the wire as it is (newsletter.transport.quoted_printable).
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

_DELIVERY_ID_OCTETS = string.ascii_letters.encode() + string.digits.encode() + b"_-"
_URL_OCTETS = _DELIVERY_ID_OCTETS + b".~:/?#[]@!$()*+,;=%&"
"""Nothing that would need encoding in a header, and only & in HTML."""
_IMAGE_TYPE = re.compile(r"image/[a-z0-9.+-]+")
_CID = re.compile(r"[A-Za-z0-9._-]+(@[A-Za-z0-9.-]+)?")


class MergeField(NamedTuple):
    """Where a reader's own value goes; `place` is "" but for places."""

    where: Literal["date", "id", "to", "header", "text", "html"]
    place: str = ""


Segment = bytes | MergeField


class MergeError(ValueError):
    """A reader's values that cannot be filled in; the text names the place, not the value."""


class PlaceholderSegments(NamedTuple):
    """Where a place's value goes: indices of pieces, by how it is written there."""

    place: str
    header: tuple[int, ...]
    text: tuple[int, ...]
    html: tuple[int, ...]


@dataclass(frozen=True)
class Template:
    """A compiled edition: `pieces` in order; `sender` is the envelope's, `domain` Message-ID's.

    `seal` signs each message where a signer is given. `frame` and the indices are the pieces made
    ready, so that a message is a copy of the list, some assignments and a join.
    """

    pieces: tuple[Segment, ...] = field(repr=False)
    sender: str
    domain: str
    seal: EditionSigner | None = None
    frame: list[bytes] = field(init=False, repr=False)
    fills: tuple[PlaceholderSegments, ...] = field(init=False)
    _own: tuple[int, int, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        frame = [piece if isinstance(piece, bytes) else b"" for piece in self.pieces]
        places = {p.place: None for p in self.pieces if isinstance(p, MergeField) and p.place}
        fills = tuple(
            PlaceholderSegments(
                place, *(self._at(where, place) for where in ("header", "text", "html"))
            )
            for place in places
        )
        own = tuple(self._at(where)[0] for where in ("to", "date", "id"))
        for name, value in (("frame", frame), ("fills", fills), ("_own", own)):
            object.__setattr__(self, name, value)

    def message(self, recipient: Recipient, *, date: bytes) -> bytes:
        """One reader's message, CR LF at its end. Raises FillError.

        `date` comes from `date_header`, once for a whole call.
        """
        to = envelope_address(recipient)
        if to is None:
            raise MergeError("an address that needs SMTPUTF8")
        return b"".join(self.filled(recipient, to, date))

    def filled(self, recipient: Recipient, to: bytes, date: bytes) -> list[bytes]:
        """The pieces of one reader's message. Raises FillError."""
        delivery_id = recipient.delivery_id.encode("ascii", "replace")
        if not 0 < len(delivery_id) <= 40 or delivery_id.translate(None, _DELIVERY_ID_OCTETS):
            raise MergeError("a delivery id is up to 40 letters and digits")
        pieces = self.frame.copy()
        to_at, date_at, id_at = self._own
        pieces[to_at], pieces[date_at], pieces[id_at] = to, date, delivery_id
        for place, header, text, html in self.fills:
            url = _checked_url(place, recipient.urls)
            for index in header:
                pieces[index] = url
            value = quoted_printable.encode_url(url)
            for index in text:
                pieces[index] = value
            if b"&" in url:
                value = quoted_printable.encode_url(url.replace(b"&", b"&amp;"))
            for index in html:
                pieces[index] = value
        if self.seal is not None:
            pieces[0] = self.seal.of(pieces) + pieces[0]
        return pieces

    def _at(self, where: str, place: str = "") -> tuple[int, ...]:
        return tuple(i for i, piece in enumerate(self.pieces) if piece == (where, place))


def envelope_address(recipient: Recipient) -> bytes | None:
    """The recipient's address as it is handed over, or None where it cannot be."""
    raw = plain_address(recipient.address)
    if raw is None:
        written = to_ace(recipient.address)
        return None if written is None else written.encode()
    return raw


def render(
    template: Template, recipient: Recipient, *, date: bytes
) -> tuple[bytes, list[bytes]] | SendResult:
    """A reader's address and message in pieces, or, where there can be none, what that comes to."""
    to = envelope_address(recipient)
    if to is None:
        return SendResult(recipient.position, Result.REFUSED, status=NEEDS_SMTPUTF8)
    try:
        return to, template.filled(recipient, to, date)
    except MergeError:
        return SendResult(recipient.position, Result.FAILED)


def placeholder_url(place: str, places: Mapping[str, str]) -> str:
    """The reader's URL for a place. Raises FillError where it is missing or is no plain URL."""
    return _checked_url(place, places).decode("ascii")


def _checked_url(place: str, places: Mapping[str, str]) -> bytes:
    url = places.get(place, "")
    raw = url.encode("ascii", "replace")
    if (
        not url.isascii()
        or not raw.startswith((b"https://", b"http://"))
        or not 8 < len(raw) <= 808
        or raw.translate(None, _URL_OCTETS)
    ):
        raise MergeError(f"no usable URL for {place}")
    return raw


def date_header(moment: datetime | None = None) -> bytes:
    """The Date header's value: UTC, now unless given."""
    return format_datetime((moment or datetime.now(UTC)).astimezone(UTC)).encode()


def compile(email: Email, *, signer: Signer | None = None) -> Template:  # noqa: A001 - as in re
    """Raises CompileError where anything in it cannot be sent as it is."""
    if PLACEHOLDER_URL.search(email.subject + email.from_name):
        raise CompileError("a subject or a sender's name cannot hold a reader's URL")
    names = [name.lower() for name, _ in email.headers]
    if len(set(names)) < len(names):
        raise CompileError("a header is given twice")
    unknown = placeholders_in(email) - {place.value for place in Placeholder}
    if unknown:
        raise CompileError(f"nothing fills the place {', '.join(sorted(unknown))}")
    pieces = tuple(_join_adjacent([*_header_segments(email), *_body_segments(email)]))
    sender = to_ace(email.from_address)
    if sender is None:  # _head refuses it
        raise CompileError("From: not an address that can be sent from")
    domain = sender.rpartition("@")[2]
    seal = None if signer is None else dkim.edition_signer(pieces, domain=domain, signer=signer)
    template = Template(pieces, sender, domain, seal)
    _check_sample(template, email)
    return template


def _check_sample(template: Template, email: Email) -> None:
    """A sample reader's mail must say what was meant."""
    places = {name: f"https://sample.example/{name}?a=1&b=2" for name in placeholders_in(email)}
    sample = Recipient(0, "reader@sample.example", "sample", places)
    self_check.check_compiled(
        template.message(sample, date=date_header()),
        subject=email.subject,
        text=PLACEHOLDER_URL.sub(lambda found: places[found[1]], email.text),
        html=PLACEHOLDER_URL.sub(lambda found: escape(places[found[1]]), email.html),
    )


def placeholders_in(email: Email) -> frozenset[str]:
    """Names of the places that occur anywhere in the mail."""
    everything = [email.text, email.html, *(value for _, value in email.headers)]
    return frozenset(name for text in everything for name in PLACEHOLDER_URL.findall(text))


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
    """A header line with its places as slots. `headers.field` made it ASCII."""
    literal = PLACEHOLDER_URL.split(line)
    if len(literal) > 1 and len(line) > headers.MAX_LINE_LENGTH - 850 * (len(literal) // 2):
        raise CompileError(f"{line.partition(':')[0]}: no room for a reader's URL")
    for index, text in enumerate(literal):
        yield MergeField("header", text) if index % 2 else text.encode()


def _body_segments(email: Email) -> Iterator[Segment]:
    text = [*_text_part("text/plain", email.text, "text"), b"\r\n"]
    if not email.html:
        yield from text
        return
    alternative = _Multipart("alternative", email)
    yield alternative.head + alternative.begin
    yield from text
    yield alternative.begin
    yield from _html_part(email)
    yield alternative.end


def _html_part(email: Email) -> Iterator[Segment]:
    html = [*_text_part("text/html", email.html, "html"), b"\r\n"]
    if not email.images:
        yield from html
        return
    related = _Multipart("related", email, parameter='; type="text/html"')
    yield related.head + related.begin
    yield from html
    for image in email.images:
        yield related.begin + _image_part(image)
    yield related.end


class _Multipart:
    """Lines of one multipart. "=_" stands in neither quoted-printable nor base64, so that no
    part holds the boundary (RFC 2045, 6.7)."""

    def __init__(self, kind: str, email: Email, *, parameter: str = "") -> None:
        seed = f"{kind}\0{email.subject}\0{email.text}\0{email.html}".encode(
            "utf-8", "surrogatepass"
        )
        boundary = f"=_{hashlib.sha256(seed).hexdigest()[:24]}"
        head = f'Content-Type: multipart/{kind}{parameter};\r\n boundary="{boundary}"\r\n\r\n'
        self.head = head.encode()
        self.begin = f"--{boundary}\r\n".encode()
        self.end = f"--{boundary}--\r\n".encode()


def _text_part(content_type: str, text: str, where: Literal["text", "html"]) -> Iterator[Segment]:
    yield f"Content-Type: {content_type}; charset=utf-8\r\n".encode()
    yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    try:
        for index, line in enumerate(quoted_printable.split_lines(text)):
            if index:
                yield b"\r\n"
            yield from _body_line(line, where)
    except UnicodeEncodeError:
        raise CompileError(f"the {where} part holds what is no character") from None


def _body_line(line: str, where: Literal["text", "html"]) -> Iterator[Segment]:
    """A place has lines of its own: soft breaks stand wherever text is next to it."""
    literal = PLACEHOLDER_URL.split(line)
    for index, text in enumerate(literal):
        if index % 2:
            yield MergeField(where, text)
            continue
        before, after = index > 0, index < len(literal) - 1
        if text or (before and after):
            yield b"=\r\n" if before else b""
            yield quoted_printable.encode_line(text, ends=not after)
            yield b"=\r\n" if after else b""


def _image_part(image: Image) -> bytes:
    if not _IMAGE_TYPE.fullmatch(image.type) or not _CID.fullmatch(image.cid):
        raise CompileError("an embedded image needs a type such as image/png, and a plain cid")
    head = (
        f"Content-Type: {image.type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{image.cid}>\r\nContent-Disposition: inline\r\n\r\n"
    )
    return head.encode() + encodebytes(image.content).replace(b"\n", b"\r\n")


def _join_adjacent(pieces: list[Segment]) -> Iterator[Segment]:
    """Neighbouring bytes become one piece."""
    run: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            run.append(piece)
            continue
        if run:
            yield b"".join(run)
            run = []
        yield piece
    yield b"".join(run)
