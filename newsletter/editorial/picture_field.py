"""The model field and form field of an uploaded picture."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.db import models
from django.db.models.fields.files import ImageFieldFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.lib.uploads import refuse_oversized

ACCEPTED = "image/jpeg,image/png,image/webp,image/gif"


class PictureUploadField(forms.FileField):
    """Takes the upload as it is: the model says what is wrong with the picture in it.

    Django's ImageField would decode it here, outside the sandbox and in every format that Pillow
    knows, and only say that it isn't valid.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "required": gettext_lazy("Choose a picture file."),
        "empty": gettext_lazy("The file is empty, so it is not a picture. Choose another one."),
    }

    def to_python(self, data: Any) -> Any:
        if data is not None:
            refuse_oversized(data)
        return super().to_python(data)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        limit = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
        return {
            **super().widget_attrs(widget),
            "accept": ACCEPTED,
            # desk/uploads.js tells the editor before the file is sent.
            "data-max-bytes": str(limit),
            "data-too-large": _(
                "The file has {size} MB. The limit is {limit} MB. Make it smaller, then choose it "
                "again."
            ).replace("{limit}", f"{limit / 1_000_000:g}"),
        }


class PictureField(models.FileField):
    """A file that went through `pictures.store`."""

    attr_class = ImageFieldFile

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PictureUploadField, **kwargs})
