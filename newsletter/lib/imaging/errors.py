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

    def __init__(self, fault: str, facts: dict[str, str | int]) -> None:
        # Only plain values: the sandbox's answer may contain no function, and Python 3.11 pickles
        # a member of an enumeration as a call of getattr.
        super().__init__(str(fault), facts)

    @property
    def fault(self) -> Fault:
        return Fault(self.args[0])

    @property
    def facts(self) -> dict[str, str | int]:
        return dict(self.args[1])
