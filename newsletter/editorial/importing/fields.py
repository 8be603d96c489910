"""Types for the values in a document, and checks of what they refer to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, validate_email
from django.utils.translation import gettext_lazy as _
from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo

from newsletter.editorial.cleaning import clean
from newsletter.editorial.importing.files import picture_bytes
from newsletter.editorial.models.newsroom import COLOUR
from newsletter.editorial.rich_text.dropped import Dropped
from newsletter.lib.languages import validate_language
from newsletter.lib.time_zones import validate_zone

T = TypeVar("T")


@dataclass
class Scope:
    """What values may refer to. Filled while the newsletter and categories are validated."""

    base: Path
    languages: list[str] = field(default_factory=list)
    categories: set[str] = field(default_factory=set)
    dropped: dict[str, tuple[Dropped, ...]] = field(default_factory=dict)
    """What cleaning removed, by clean HTML."""


def scope_of(info: ValidationInfo) -> Scope:
    if not isinstance(info.context, Scope):
        raise TypeError("Validate documents with `validated`, which passes a Scope.")
    return info.context


def text(most: int = 1_000_000, *, least: int = 0) -> Any:
    """Return a field for a text of `least` to `most` characters without NUL.

    PostgreSQL can't store NUL.
    """
    return Field(min_length=least, max_length=most, pattern=r"^[^\x00]*$")


def checked_by(validate: Callable[[Any], None]) -> AfterValidator:
    """Check with one of Django's validators. As in Django's fields, an empty value passes."""

    def check(value: T) -> T:
        try:
            if value:
                validate(value)
        except ValidationError as error:
            raise ValueError(error.messages[0]) from None
        return value

    return AfterValidator(check)


def parsed_by(parse: Callable[[str], object], reason: object) -> BeforeValidator:
    """Parse a text with `parse`. `reason` is the error, which says how to write the value."""

    def parse_text(value: object) -> object:
        try:
            return parse(value.strip() if isinstance(value, str) else "")
        except ValueError:
            raise ValueError(reason) from None

    return BeforeValidator(parse_text)


def _own_language(code: str, info: ValidationInfo) -> str:
    known = scope_of(info).languages
    if known and code not in known:  # empty if the newsletter's languages are invalid
        raise ValueError(_("is not a language of this newsletter. Remove it, or add the language."))
    return code


def _known_category(slug: str, info: ValidationInfo) -> str:
    if slug not in scope_of(info).categories:
        raise ValueError(_("is not the slug of a category. Correct it, or add the category."))
    return slug


def _picture(name: str, info: ValidationInfo) -> str:
    picture_bytes(name, base=scope_of(info).base)
    return name


def _clean(html: str, info: ValidationInfo) -> str:
    cleaned = clean(html)
    if cleaned.dropped:
        scope_of(info).dropped.setdefault(cleaned.html, cleaned.dropped)
    return cleaned.html


BY_VALUE = Strict(strict=False)
"""For enumerations. In strict mode they accept only members, which JSON can't contain."""

SLUG = checked_by(
    RegexValidator(r"^[-a-zA-Z0-9_]+\Z", _("may contain only the letters a–z, digits, - and _."))
)
HTTPS = checked_by(RegexValidator(r"^https://", _("must begin with https://.")))

Filled = Annotated[str, text(least=1)]
Label = Annotated[str, text(120)]
Short = Annotated[str, text(200)]
Line = Annotated[str, text(300)]
Prose = Annotated[str, text()]
Html = Annotated[str, text(), AfterValidator(_clean)]
Page = Annotated[str, text(100_000), AfterValidator(_clean)]
Slug = Annotated[str, text(50, least=1), SLUG]
Colour = Annotated[str, text(7, least=1), checked_by(COLOUR)]
Email = Annotated[str, text(254), checked_by(validate_email)]
Zone = Annotated[str, text(64, least=1), checked_by(validate_zone)]
PictureFile = Annotated[str, text(least=1), AfterValidator(_picture)]
CategorySlug = Annotated[str, text(), AfterValidator(_known_category)]

Day = Annotated[
    date,
    Field(ge=date(1900, 1, 1), le=date(2999, 12, 31)),
    parsed_by(date.fromisoformat, _("must be a date such as 2017-07-24.")),
]
Clock = Annotated[time, parsed_by(time.fromisoformat, _("must be a time such as 09:00."))]
Moment = Annotated[
    datetime,
    parsed_by(
        datetime.fromisoformat, _("must be a date and time such as 2017-08-01T09:00:00+03:00.")
    ),
]

Language = Annotated[str, text(12, least=1), checked_by(validate_language)]
OwnLanguage = Annotated[Language, AfterValidator(_own_language)]
ByLanguage = dict[Language, T]
ByOwnLanguage = dict[OwnLanguage, T]
