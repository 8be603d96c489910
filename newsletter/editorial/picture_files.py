"""Delete the files of pictures that nothing uses any more.

A file is not deleted where its row is, because the transaction may be rolled back, two rows may
share a file, and an email that contains it may be on its way. Instead its name is stored as a
DiscardedFile; after the commit, and with each tick, those that nothing uses are deleted. If the
process dies in between, the next tick finds the row.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.db.models.signals import post_delete
from django.utils import timezone

from newsletter.editorial.models import (
    ArticleTranslation,
    Deletion,
    DiscardedFile,
    IssueTranslation,
    Newsroom,
    Picture,
)
from newsletter.editorial.models.picture import discard

log = logging.getLogger(__name__)
_STEM = re.compile(r"^(.*/[0-9a-f]{32})[-._][^/]*$")
_uses: list[Callable[[str], bool]] = []


def register_use(is_used: Callable[[str], bool]) -> None:
    """Have a function asked whether files whose names begin with a stem are still needed."""
    _uses.append(is_used)


def stem_of(name: str) -> str:
    """Return what the names of a picture's files have in common: "pictures/HASH"."""
    found = _STEM.match(name)
    return found[1] if found else name


def delete_discarded(now: datetime | None = None) -> int:
    """Delete the files that are due and unused; return how many."""
    due = DiscardedFile.objects.filter(due_at__lte=now or timezone.now())
    return sum(_delete_if_unused(row) for row in due.order_by("pk"))


@transaction.atomic
def _delete_if_unused(row: DiscardedFile) -> bool:
    stem = stem_of(row.name)
    if _is_content(stem):
        row.delete()
        return False
    if any(is_used(stem) for is_used in _uses):
        return False  # asked again with the next tick
    # Deleted before the row: if this process dies in between, the next tick finds nothing to do.
    default_storage.delete(row.name)
    row.delete()
    log.info("picture-file-deleted", extra={"file": row.name})
    return True


def _is_content(stem: str) -> bool:
    """Return whether a picture, the newsroom or a text uses the file."""
    return (
        Picture.objects.filter(file__startswith=stem).exists()
        or Newsroom.objects.filter(logo__startswith=stem).exists()
        or ArticleTranslation.objects.filter(body__contains=stem).exists()
        or IssueTranslation.objects.filter(introduction__contains=stem).exists()
    )


def _is_restorable(stem: str) -> bool:
    """Return whether something that was deleted, and can be restored, uses the file."""
    return (
        Deletion.objects.annotate(text=Cast("rows", TextField()))
        .filter(text__contains=stem.rpartition("/")[2])
        .exists()
    )


def _discard_files_of_picture(*, instance: Picture, **_kwargs: Any) -> None:
    discard_now(instance.file_names)


def _discard_logo(*, instance: Newsroom, **_kwargs: Any) -> None:
    if instance.logo:
        discard_now({str(instance.logo.name)})


def discard_now(names: set[str]) -> None:
    """Have files deleted as soon as the transaction is committed, if nothing uses them."""
    discard(names)
    transaction.on_commit(lambda: delete_discarded(), robust=True)


def connect() -> None:
    """Discard the files of rows that are deleted."""
    register_use(_is_restorable)
    post_delete.connect(_discard_files_of_picture, sender=Picture, dispatch_uid="picture-files")
    post_delete.connect(_discard_logo, sender=Newsroom, dispatch_uid="newsroom-logo")
