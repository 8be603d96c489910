"""Types for the values in a document, and checks of what they refer to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, validate_email
from django.utils.translation import gettext_lazy as _
from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo

from newsletter.editorial.importing.errors import UnfitTextError
from newsletter.editorial.importing.files import PictureFolder
from newsletter.editorial.models.newsroom import COLOUR
from newsletter.lib import characters
from newsletter.lib.characters import UnfitCharacterError
from newsletter.lib.languages import validate_language
from newsletter.lib.text_fields import LONGEST_BODY, LONGEST_TEXT, explain
from newsletter.lib.time_zones import validate_zone

T = TypeVar("T")


@dataclass
class Scope:
    """What values may refer to. Filled while the newsletter and categories are validated."""

    pictures: PictureFolder
    languages: list[str] = field(default_factory=list)
    categories: set[str] = field(default_factory=set)


def scope_of(info: ValidationInfo) -> Scope:
    if not isinstance(info.context, Scope):
        raise TypeError("Validate documents with `validated`, which passes a Scope.")
    return info.context


def text(most: int = LONGEST_BODY, *, least: int = 0) -> Any:
    """Return a field for a text of `least` to `most` characters."""
    return Field(min_length=least, max_length=most)


def kept_by(rule: Callable[[str], str]) -> BeforeValidator:
    """Apply a function of `newsletter.lib.characters`, as the models' fields do (H1).

    It comes first, because pydantic refuses half a character without saying which.
    """

    def keep(value: object) -> object:
        try:
            return rule(value) if isinstance(value, str) else value
        except UnfitCharacterError as error:
            raise UnfitTextError(explain(error)) from None

    return BeforeValidator(keep)


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
    scope_of(info).pictures.stored(name)
    return name


def _logo(name: str, info: ValidationInfo) -> str:
    scope_of(info).pictures.stored(name, folder="newsroom")
    return name


def _id_text(value: object) -> object:
    """Many programs number their articles; a number and its digits are the same ID."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


BY_VALUE = Strict(strict=False)
"""For enumerations. In strict mode they accept only members, which JSON can't contain."""

SLUG = checked_by(
    RegexValidator(r"^[-a-zA-Z0-9_]+\Z", _("may contain only the letters a–z, digits, - and _."))
)
HTTPS = checked_by(RegexValidator(r"^https://", _("must begin with https://.")))

ONE_LINE, LINES = kept_by(characters.one_line), kept_by(characters.lines)
MARKUP = kept_by(characters.markup)

Filled = Annotated[str, text(least=1), ONE_LINE]
Label = Annotated[str, text(120), ONE_LINE]
Short = Annotated[str, text(200), ONE_LINE]
Line = Annotated[str, text(300), ONE_LINE]
Prose = Annotated[str, text(LONGEST_TEXT), LINES]
Html = Annotated[str, text(LONGEST_BODY), MARKUP]
Page = Annotated[str, text(LONGEST_TEXT), MARKUP]
ExternalId = Annotated[str, text(100, least=1), ONE_LINE, BeforeValidator(_id_text)]
Slug = Annotated[str, text(50, least=1), ONE_LINE, SLUG]
Colour = Annotated[str, text(7, least=1), ONE_LINE, checked_by(COLOUR)]
Email = Annotated[str, text(254), ONE_LINE, checked_by(validate_email)]
Zone = Annotated[str, text(64, least=1), ONE_LINE, checked_by(validate_zone)]
PictureFile = Annotated[str, text(1000, least=1), ONE_LINE, AfterValidator(_picture)]
LogoFile = Annotated[str, text(1000, least=1), ONE_LINE, AfterValidator(_logo)]
CategorySlug = Annotated[str, text(), ONE_LINE, AfterValidator(_known_category)]

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
