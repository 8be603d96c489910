"""Pictures, and the files that nothing uses any more."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.editorial import pictures
from newsletter.editorial.picture_field import PictureField
from newsletter.editorial.search.documents import Document
from newsletter.editorial.search.searchable import (
    Searchable,
    SearchableManager,
    SearchableQuerySet,
)
from newsletter.lib.sandbox import SandboxEndedError
from newsletter.lib.text_fields import OneLineField

log = logging.getLogger(__name__)

UNSAVED_FILES_AFTER = timedelta(days=1)
"""After that, a file is deleted whose form was never saved, because another field had an error."""


class DiscardedFile(models.Model):
    """A file in the media storage that is deleted at `due_at`, if nothing uses it then."""

    name = models.CharField(max_length=200, unique=True)
    due_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["due_at"])]

    def __str__(self) -> str:
        return self.name


class Picture(Searchable):
    """A picture with its credit. The row can't exist without a file."""

    searched_fields = frozenset({"name", "credit"})

    class Kind(models.TextChoices):
        PHOTO = "photo", _("Photo")
        IMAGE = "image", _("Image")
        GRAPHIC = "graphic", _("Graphic")

    file = PictureField(_("file"), upload_to="pictures/")
    width = models.PositiveIntegerField(default=0, editable=False)
    height = models.PositiveIntegerField(default=0, editable=False)
    size = models.PositiveIntegerField(
        default=0, editable=False, help_text="Bytes of the stored file."
    )
    copies = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="{email: {name, width, height, size}, site: [the same, …]}; {} if not made yet.",
    )
    name = OneLineField(
        _("name"),
        max_length=120,
        blank=True,
        help_text=_(
            "For finding it again; only shown at the desk. If left empty, it is the file’s name."
        ),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.PHOTO)
    credit = OneLineField(
        _("credit"), max_length=200, blank=True, help_text=_("The photographer or source.")
    )
    added_at = models.DateTimeField(_("added"), auto_now_add=True)

    scaled_from: tuple[int, int] | None = None
    """Width and height of the file that was just uploaded, before it was scaled down."""

    objects = SearchableManager.from_queryset(SearchableQuerySet)()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        constraints = [
            models.CheckConstraint(
                condition=~Q(file=""),
                name="picture_has_a_file",
                violation_error_message=_("A picture needs a file."),
            )
        ]

    def __str__(self) -> str:
        name = self.name or str(self.file.name).rsplit("/", 1)[-1]
        return f"{name} ({self.credit})" if self.credit else name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the file without metadata, and make its smaller copies.

        Raises ValidationError if the file isn't a picture or can't be written.
        """
        if self._store():
            self._add_copies()
        replaced = self._replaced_names()
        if replaced or not self.width:
            self._measure()
        if kwargs.get("update_fields") is not None:
            derived = {"file", "width", "height", "size", "copies", "name"}
            kwargs["update_fields"] = {*kwargs["update_fields"], *derived}
        super().save(*args, **kwargs)
        discard(replaced)

    def clean(self) -> None:
        """Store an uploaded file already now, so that a full disk is reported at its field."""
        try:
            if self._store():
                self._add_copies()
        except ValidationError as error:
            raise ValidationError({"file": error.messages}) from None

    @property
    def email_copy(self) -> pictures.Copy:
        """The file that emails contain: the picture itself until its copies are made."""
        copies = self.known_copies
        return copies.email if copies else self.original

    @property
    def site_copies(self) -> tuple[pictures.Copy, ...]:
        """What `srcset` offers: the copies by width, then the picture itself."""
        copies = self.known_copies
        return (*(copies.site if copies else ()), self.original)

    @property
    def thumbnail(self) -> pictures.Copy:
        return self.site_copies[0]

    @property
    def original(self) -> pictures.Copy:
        return pictures.Copy(str(self.file.name), self.width, self.height, self.size)

    @property
    def known_copies(self) -> pictures.Copies | None:
        return pictures.Copies.parse(self.copies)

    @property
    def file_names(self) -> set[str]:
        """The names of the picture's files in the media storage."""
        copies = self.known_copies
        return {str(self.file.name), *(copies.names if copies else ())}

    def document(self) -> Document:
        return Document(headline=f"{self.name} {self.credit}")

    def make_copies(self) -> None:
        """Make the smaller copies without saving the row. For errors see `pictures.make_copies`."""
        self.copies = pictures.make_copies(self.original).as_json()

    def _add_copies(self) -> None:
        try:
            self.make_copies()
        except SandboxEndedError:
            # The picture itself is good, and the next tick tries again.
            log.warning("picture-copies-failed", extra={"file": self.file.name})

    def _store(self) -> bool:
        """Store the file if it was just uploaded; return whether it was."""
        if not (self.file and pictures.is_new(self.file)):
            return False
        if not self.name:
            self.name = readable_name(str(self.file.name))
        stored = pictures.store(self.file.file, folder="pictures")
        discard({stored.name}, after=UNSAVED_FILES_AFTER)
        self.file = stored.name
        self.width, self.height, self.size = stored.width, stored.height, stored.size
        self.copies = {}
        self.scaled_from = stored.original_size or (stored.width, stored.height)
        return True

    def _measure(self) -> None:
        """Read the size of a file that was stored before, and forget another file's copies."""
        if not self.file:
            return  # the database refuses it
        stored = pictures.measure(str(self.file.name))
        if (self.width, self.height, self.size) != (stored.width, stored.height, stored.size):
            self.width, self.height, self.size = stored.width, stored.height, stored.size
            self.copies = {}

    def _replaced_names(self) -> set[str]:
        """Return the names of the files that this row had until now and no longer has."""
        if not self.pk:
            return set()
        before = Picture.objects.filter(pk=self.pk).exclude(file=self.file.name).first()
        return before.file_names - self.file_names if before else set()


def discard(names: set[str], *, after: timedelta = timedelta()) -> None:
    """Have files deleted unless something uses them: see `newsletter.editorial.picture_files`."""
    due_at = timezone.now() + after
    for name in names:
        DiscardedFile.objects.update_or_create(name=name, defaults={"due_at": due_at})


def readable_name(file_name: str) -> str:
    """Return a picture's name from that of an uploaded file: "IMG_1234.jpg" → "IMG_1234"."""
    stem = PurePosixPath(file_name).stem
    return " ".join("".join(c if c.isprintable() else " " for c in stem).split())[:120]
