"""What to tell editors about a file that can't be used: what is wrong, and what to do."""

from __future__ import annotations

import errno
import logging
from math import ceil

from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.lib.imaging.decoding import MAX_PIXELS
from newsletter.lib.imaging.errors import Fault, UnusableImageError
from newsletter.lib.imaging.file_types import FileType

log = logging.getLogger(__name__)

_FULL = {errno.ENOSPC, errno.EDQUOT}
_TYPES: dict[FileType, str | Promise] = {
    FileType.SVG: gettext_lazy("This is an SVG drawing, not a picture made of pixels."),
    FileType.HTML: gettext_lazy("This is a web page, not a picture."),
    FileType.PDF: gettext_lazy("This is a PDF document, not a picture."),
    FileType.HEIC: gettext_lazy("This is a HEIC photo, which most browsers don’t show."),
    FileType.AVIF: gettext_lazy("This is an AVIF picture, which many email apps don’t show."),
    FileType.TIFF: gettext_lazy("This is a TIFF picture or a camera’s raw file."),
    FileType.BMP: gettext_lazy("This is a BMP picture."),
    FileType.PSD: gettext_lazy("This is a Photoshop file."),
    FileType.POSTSCRIPT: gettext_lazy("This is a PostScript drawing."),
    FileType.VIDEO: gettext_lazy("This is a video, not a picture."),
    FileType.ARCHIVE: gettext_lazy("This is an archive or an office document, not a picture."),
    FileType.TEXT: gettext_lazy("This is a text file, not a picture, whatever its name says."),
    FileType.UNKNOWN: gettext_lazy("This is not a picture that can be read."),
}


def as_validation_error(error: UnusableImageError) -> ValidationError:
    """Return what to tell the editor, in the active language."""
    match error.fault:
        case Fault.EMPTY:
            message = _("The file is empty, so it is not a picture. Choose another one.")
        case Fault.TOO_MANY_PIXELS:
            message = _too_many_pixels(int(error.facts["width"]), int(error.facts["height"]))
        case Fault.DAMAGED:
            message = _(
                "This %(format)s file is not a picture that can be read to its end: it is damaged "
                "or incomplete. Open it in an image editor, save it again and upload that file."
            ) % {"format": error.facts["format"]}
        case Fault.OTHER_TYPE:
            kind = _TYPES[FileType(str(error.facts["type"]))]
            way_out = _("Save it as JPEG, PNG, WebP or GIF and upload that file.")
            message = f"{kind} {way_out}"
    return ValidationError(message, code=str(error.fault))


def _too_many_pixels(width: int, height: int) -> str:
    return _(
        "The picture has %(megapixels)s megapixels (%(width)s × %(height)s pixels). The limit is "
        "%(limit)s megapixels. Scale it down, for example to 4000 pixels, and upload it again."
    ) % {
        "megapixels": number_format(ceil(width * height / 100_000) / 10, 1, use_l10n=True),
        "width": width,
        "height": height,
        "limit": MAX_PIXELS // 1_000_000,
    }


def ended_in_sandbox() -> ValidationError:
    """Return what to tell the editor if decoding the picture took too much memory or time."""
    return ValidationError(
        _(
            "The picture could not be processed: it took too much memory or time. Scale it down "
            "and upload it again."
        ),
        code="too_complex",
    )


def not_written(error: OSError) -> ValidationError:
    """Return what to tell the editor if the file could not be stored, and log why."""
    log.error("picture-not-stored", extra={"error": type(error).__name__, "errno": error.errno})
    if error.errno in _FULL:
        message = _(
            "The server’s disk is full, so the picture was not saved. Tell the person who runs "
            "the server, and upload it again once there is room."
        )
    else:
        message = _(
            "The server could not write the file, so the picture was not saved. Tell the person "
            "who runs the server. The reason: %(reason)s."
        ) % {"reason": error.strerror or type(error).__name__}
    return ValidationError(message, code="not_written")
