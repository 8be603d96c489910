"""The pictures of a document's articles: which row has them, or a new one."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.editorial import models
from newsletter.editorial.importing import schema
from newsletter.editorial.importing.additions import Additions
from newsletter.editorial.importing.files import PictureFolder
from newsletter.editorial.importing.report import ImportReport, save_if_changed, validate_fields
from newsletter.editorial.models.picture import readable_name

Key = tuple[str, str, str]
"""File, kind and credit: what makes two pictures the same."""


class ArticlePictures:
    """The rows of the pictures that a document names. All are looked up at once."""

    def __init__(
        self,
        document: schema.Document,
        folder: PictureFolder,
        additions: Additions,
        report: ImportReport,
    ) -> None:
        self._folder, self._additions, self._report = folder, additions, report
        images = (article.image for _location, article in document.located_articles())
        named = {image.file for image in images if image and image.file}
        self._rows = _stored(folder.stored(name).name for name in sorted(named))

    def row(
        self, file: str, *, kind: str, credit: str, current: models.Picture | None, location: str
    ) -> models.Picture:
        """Return the picture: the current one, another one that is the same, or a new one."""
        stored = self._folder.stored(file)
        key = (stored.name, kind, credit)
        if current and _key(current) == key:
            return current
        if key not in self._rows:
            # The stored file is named by its content, which tells nobody what it shows.
            name = readable_name(file)
            values = {"file": stored.name, "name": name, "kind": kind, "credit": credit}
            # The size is known, so nothing has to open the file again.
            measured = {"width": stored.width, "height": stored.height, "size": stored.size}
            self._rows[key] = save_if_changed(
                models.Picture(),
                self._report,
                values | measured,
                location=location,
                validate=validate_fields,
                save=self._additions.add,
            )
        return self._rows[key]


def _key(row: models.Picture) -> Key:
    return (str(row.file.name), row.kind, row.credit)


def _stored(names: Iterable[str]) -> dict[Key, models.Picture]:
    """Return the pictures with these files; of several that are the same, the newest."""
    rows: dict[Key, models.Picture] = {}
    ordered = list(names)
    for start in range(0, len(ordered), 500):
        found = models.Picture.objects.filter(file__in=ordered[start : start + 500])
        rows |= {_key(row): row for row in found.order_by("pk")}
    return rows
