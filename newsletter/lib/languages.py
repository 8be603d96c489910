"""Language codes, and the model field for one."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.lib.language_names import language_name as language_name
from newsletter.lib.language_names import language_name_in as language_name_in

CODE = re.compile(r"^[a-z]{2,3}(-[a-z]{2,8})?$")


def validate_language(code: str) -> None:
    """Raise ValidationError unless `code` is a lower-case tag such as "be" or "zh-hans"."""
    if not isinstance(code, str) or not CODE.match(code):
        raise ValidationError(_("“%(code)s” is not a language code."), params={"code": code})


def is_right_to_left(code: str) -> bool:
    info: dict[str, Any] = LANG_INFO.get(code.partition("-")[0], {})
    return bool(info.get("bidi", False))


def direction(code: str) -> str:
    """Return the HTML `dir` of the language: "rtl" or "ltr"."""
    return "rtl" if is_right_to_left(code) else "ltr"


def page_language(code: str) -> str:
    """Return the language for the page around a text: its own, or the site's default."""
    return code if code in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


class LanguageField(models.CharField):  # type: ignore[type-arg]
    """A language code. It has no choices, so that adding a language needs no migration (F5)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 12)
        kwargs.setdefault("verbose_name", _("language"))
        kwargs.setdefault("validators", [validate_language])
        super().__init__(*args, **kwargs)
