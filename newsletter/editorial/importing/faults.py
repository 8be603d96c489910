"""Where a document is wrong: a value and its place, walked down together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.utils.translation import gettext as _

from newsletter.lib.languages import validate_language

T = TypeVar("T")

COMMENT = "about"
"""A key that may stand anywhere in an object and is not read."""


class DocumentError(Exception):
    """What is wrong and where: `issues[1].articles[0].translations.be.headline: …`."""

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(f"{place}: {reason}" if place else reason)


@dataclass(frozen=True)
class Node:
    """A value of the document and its place."""

    value: Any
    place: str = ""

    def fault(self, reason: str) -> DocumentError:
        return DocumentError(self.place, reason)

    def __contains__(self, key: str) -> bool:
        """Whether the object has the key with a value: null stands for nothing."""
        if not isinstance(self.value, dict):
            raise self.fault(_("must be an object."))
        return self.value.get(key) is not None

    def __getitem__(self, key: str) -> Node:
        place = f"{self.place}.{key}" if self.place else key
        if key not in self:
            raise DocumentError(place, _("is missing."))
        return Node(self.value[key], place)

    def child(self, key: str, empty: Any) -> Node:
        """The value of the key, or an empty one at its place."""
        return self[key] if key in self else Node(empty, f"{self.place}.{key}".lstrip("."))

    def only(self, *known: str) -> Node:
        """The same, if it is an object with no other keys: a slip in a name loses nothing."""
        if not isinstance(self.value, dict):
            raise self.fault(_("must be an object."))
        for key in self.value:
            if key not in known and key != COMMENT:
                raise DocumentError(f"{self.place}.{key}".lstrip("."), _("is not a known name."))
        return self

    def items(self) -> Iterator[Node]:
        if not isinstance(self.value, list):
            raise self.fault(_("must be a list."))
        for number, value in enumerate(self.value):
            yield Node(value, f"{self.place}[{number}]")

    def by_language(self, allowed: tuple[str, ...] | None = None) -> Iterator[tuple[str, Node]]:
        """(language, value) of an object whose keys are languages, of those allowed."""
        if not isinstance(self.value, dict):
            raise self.fault(_("must be an object with languages as keys."))
        for code, value in self.value.items():
            node = Node(value, f"{self.place}.{code}")
            Node(code, node.place).language()
            if allowed is not None and code not in allowed:
                raise node.fault(_("is not a language of this newsletter."))
            yield code, node

    def texts(
        self,
        key: str,
        *,
        longest: int,
        allowed: tuple[str, ...] | None = None,
    ) -> dict[str, str]:
        """The texts by language under the key; none where it is missing."""
        if key not in self:
            return {}
        return {code: node.text(longest=longest) for code, node in self[key].by_language(allowed)}

    def text(self, *, longest: int = 1_000_000, required: bool = False) -> str:
        if not isinstance(self.value, str):
            raise self.fault(_("must be a text."))
        text = self.value.strip()
        if required and not text:
            raise self.fault(_("is empty."))
        if len(text) > longest:
            raise self.fault(_("is longer than %(longest)s characters.") % {"longest": longest})
        if "\x00" in text:
            raise self.fault(_("holds a character that cannot be stored."))
        return text

    def language(self) -> str:
        try:
            validate_language(self.value)
        except ValidationError as error:
            raise self.fault(error.messages[0]) from None
        return str(self.value)

    def slug(self, *, longest: int = 50) -> str:
        text = self.text(longest=longest, required=True)
        try:
            validate_slug(text)
        except ValidationError:
            raise self.fault(_("may hold letters of a–z, digits, - and _ only.")) from None
        return text

    def number(self, *, most: int) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.fault(_("must be a whole number."))
        if not 0 <= self.value <= most:
            raise self.fault(_("must be from 0 to %(most)s.") % {"most": most})
        return self.value

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.fault(_("must be true or false."))
        return self.value

    def one_of(self, values: list[str]) -> str:
        if self.value not in values:
            raise self.fault(_("must be one of: %(values)s.") % {"values": ", ".join(values)})
        return str(self.value)

    def date(self) -> date:
        return self._read(date.fromisoformat, _("must be a date such as 2017-07-24."))

    def time(self) -> time:
        return self._read(time.fromisoformat, _("must be a time such as 09:00."))

    def moment(self) -> datetime:
        return self._read(
            datetime.fromisoformat, _("must be a date and time such as 2017-08-01T09:00:00+03:00.")
        )

    def _read(self, read: Callable[[str], T], reason: str) -> T:
        try:
            return read(self.text())
        except ValueError:
            raise self.fault(reason) from None
