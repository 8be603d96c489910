"""The parts of a compiled edition: bytes, and fields that differ for each reader."""

from __future__ import annotations

from typing import Literal, NamedTuple


class MergeField(NamedTuple):
    """A segment whose value differs for each reader.

    `placeholder` is the placeholder's name if `kind` is header, text or html, else "".
    """

    kind: Literal["date", "id", "to", "header", "text", "html"]
    placeholder: str = ""


Segment = bytes | MergeField


class PlaceholderSegments(NamedTuple):
    """Indexes of the segments that a placeholder fills, by how its value is encoded there."""

    placeholder: str
    header: tuple[int, ...]
    text: tuple[int, ...]
    html: tuple[int, ...]
