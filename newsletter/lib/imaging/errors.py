"""Why a file can't be used as a picture."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    EMPTY = "empty"
    """The file has no content."""
    OTHER_TYPE = "other-type"
    """It isn't a picture in one of the accepted formats. Facts: `type`, a FileType."""
    TOO_MANY_PIXELS = "too-many-pixels"
    """Facts: `width` and `height`, in pixels."""
    DAMAGED = "damaged"
    """It begins like a picture but can't be decoded to its end. Facts: `format`, such as "PNG"."""


class UnusableImageError(Exception):
    """The file can't be used as a picture. `facts` are described with each Fault."""

    def __init__(self, fault: Fault, facts: dict[str, str | int]) -> None:
        # Both are arguments, because they have to survive pickling.
        super().__init__(fault, facts)
        self.fault, self.facts = fault, facts
