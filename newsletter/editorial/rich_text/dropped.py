"""What cleaning could not keep, for editors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EXCERPT = 80
"""Characters of a URL or text that a message quotes."""


class Kind(Enum):
    """What was removed or changed. The value is the message."""

    PICTURE = _("A picture was removed because it isn’t stored here: %(what)s")
    PIXEL = _("A tracking pixel was removed: %(what)s")
    REDIRECT = _("A redirect was replaced by the page that it leads to: %(what)s")
    TRACKING = _("Tracking parameters were removed from a link: %(what)s")
    LINK = _("A link was removed because it leads nowhere outside its page: %(what)s")
    NOTE = _("A footnote is not referred to in the text: %(what)s")
    EMBEDDED = _("Something that can’t be shown in a text was removed: %(what)s")
    HIDDEN = _("Hidden text was removed: %(what)s")
    FORMATTING = _("Formatting was removed (underline or highlight): %(what)s")
    TABLE = _("A table inside a table became paragraphs: %(what)s")

    @property
    def message(self) -> str | Promise:
        return self.value


@dataclass(frozen=True)
class Dropped:
    """One thing that a text lost, or that was changed in it."""

    kind: Kind
    what: str
    """A URL, or the beginning of the text."""

    def __str__(self) -> str:
        """Return the message in the active language."""
        return str(self.kind.message) % {"what": self.what}


class Report:
    """Collects what was dropped, each thing once."""

    def __init__(self) -> None:
        self._found: dict[Dropped, None] = {}

    def add(self, kind: Kind, what: str) -> None:
        line = " ".join(what.split())
        shown = line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1]}…"
        self._found.setdefault(Dropped(kind, shown))

    def dropped(self) -> tuple[Dropped, ...]:
        return tuple(self._found)
