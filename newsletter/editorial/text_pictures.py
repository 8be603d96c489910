"""The stored pictures inside texts, found by the files that the texts name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.editorial.models import Picture
from newsletter.editorial.picture_files import stem_of
from newsletter.editorial.pictures.storing import TYPES

_SOURCE = re.compile(r'src="[^"]*?(pictures/[0-9a-f]{32}[-._][\w.-]+)"')


def pictures_in(texts: Iterable[str]) -> dict[str, Picture]:
    """Return the pictures inside the texts, by the name of the file that a text names.

    One query for all of them. A file may be a copy of its picture; one that belongs to no picture
    is left out.
    """
    stems = {name: stem_of(name) for html in texts for name in _SOURCE.findall(html)}
    if not stems:
        return {}
    wanted = set(stems) | {stem + suffix for stem in stems.values() for suffix in TYPES}
    found: dict[str, Picture] = {}
    for picture in Picture.objects.filter(file__in=wanted).order_by("pk"):
        # Two pictures may share a file. Their copies are the same.
        found.setdefault(stem_of(str(picture.file.name)), picture)
    return {name: found[stem] for name, stem in stems.items() if stem in found}
