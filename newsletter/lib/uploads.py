"""Uploaded files: kept in memory, up to a limit, and never dropped silently.

A list of subscribers must never touch the disk (G5). Django's own handler for memory doesn't take
part in a request that is larger than its limit, so the form gets no file at all: a field that isn't
required is then simply empty, and an editor reads that everything was saved. This handler always
hands something over, and what it hands over says that the file was too large.
"""

from __future__ import annotations

import io
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.translation import gettext as _


class OversizedUpload(UploadedFile[bytes]):
    """Stands for a file that was too large. It has a name and no content.

    Its size is 0, so that a form field that doesn't know of it refuses it as an empty file.
    """

    received = 0
    """How many bytes were sent."""


class LimitedMemoryUploadHandler(FileUploadHandler):
    """Keep a request's files in memory, FILE_UPLOAD_MAX_MEMORY_SIZE bytes of them in all (H4).

    A file that goes beyond that becomes an OversizedUpload; it is read to its end, so that the
    browser gets an answer, but not kept.
    """

    kept = 0
    """Bytes that this request's files take up."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.buffer: io.BytesIO | None = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002 - Django's signature
        if self.buffer is None:
            return
        if self.kept + len(raw_data) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
            self.kept -= self.buffer.tell()
            self.buffer = None
            return
        self.buffer.write(raw_data)
        self.kept += len(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        facts = (self.content_type, file_size, self.charset, self.content_type_extra)
        if self.buffer is None:
            oversized = OversizedUpload(io.BytesIO(), self.file_name, self.content_type, 0)
            oversized.received = file_size
            return oversized
        self.buffer.seek(0)
        return InMemoryUploadedFile(self.buffer, self.field_name, self.file_name, *facts)


def refuse_oversized(file: IO[bytes] | UploadedFile[bytes]) -> None:
    """Raise ValidationError if the upload was too large."""
    if isinstance(file, OversizedUpload):
        raise ValidationError(
            _(
                "The file has %(size)s MB. The limit is %(limit)s MB. Make it smaller, "
                "then upload it again."
            ),
            code="too_large",
            params={
                "size": _megabytes(file.received),
                "limit": _megabytes(settings.FILE_UPLOAD_MAX_MEMORY_SIZE),
            },
        )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}".removesuffix(".0")
