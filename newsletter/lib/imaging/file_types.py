"""What a file really is, judged by its first bytes and never by its name."""

from __future__ import annotations

import re
from enum import StrEnum

HEAD_BYTES = 4096


class FileType(StrEnum):
    SVG = "svg"
    HTML = "html"
    PDF = "pdf"
    HEIC = "heic"
    AVIF = "avif"
    TIFF = "tiff"
    BMP = "bmp"
    PSD = "psd"
    POSTSCRIPT = "postscript"
    VIDEO = "video"
    ARCHIVE = "archive"
    """A ZIP file, which a Word or LibreOffice document is, too."""
    TEXT = "text"
    UNKNOWN = "unknown"


_SIGNATURES: list[tuple[re.Pattern[bytes], FileType]] = [
    (re.compile(rb"%PDF-"), FileType.PDF),
    (re.compile(rb"PK\x03\x04|\x1f\x8b|Rar!|7z\xbc\xaf"), FileType.ARCHIVE),
    (re.compile(rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)", re.DOTALL), FileType.HEIC),
    (re.compile(rb"....ftyp(avif|avis)", re.DOTALL), FileType.AVIF),
    (re.compile(rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ", re.DOTALL), FileType.VIDEO),
    # Most cameras' raw formats are TIFF files.
    (re.compile(rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+"), FileType.TIFF),
    (re.compile(rb"BM....\x00\x00\x00\x00", re.DOTALL), FileType.BMP),
    (re.compile(rb"8BPS"), FileType.PSD),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"), FileType.POSTSCRIPT),
]
_SVG = re.compile(r"<(\w+:)?svg[\s>]", re.IGNORECASE)
_HTML = re.compile(r"<(!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def file_type(content: bytes) -> FileType:
    """Return what the file is. Pictures in an accepted format are UNKNOWN here."""
    head = content[:HEAD_BYTES]
    for pattern, kind in _SIGNATURES:
        if pattern.match(head):
            return kind
    text = _as_text(head)
    if text is None:
        return FileType.UNKNOWN
    if _SVG.search(text):
        return FileType.SVG
    return FileType.HTML if _HTML.search(text) else FileType.TEXT


def _as_text(head: bytes) -> str | None:
    """Return the head as text, in any of the encodings that text files have; None if it isn't."""
    encodings = ["utf-16"] if head.startswith((b"\xff\xfe", b"\xfe\xff")) else []
    for encoding in [*encodings, "utf-8-sig", "cp1251"]:
        # The head may end in the middle of a character.
        text = head.decode(encoding, "ignore" if len(head) == HEAD_BYTES else "replace")
        if "\ufffd" not in text and not _CONTROL.search(text):
            return text
    return None
