"""Choosing a picture: thumbnails with name, credit and usage, and a search.

An article's picture is a form field. Without JavaScript it is a list of the latest pictures. With
it, a dialog shows all of them, page by page; the choice is still the value of the list, so that
the form doesn't know the difference. The rich-text editor opens the same dialog.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms.models import ModelChoiceIterator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from newsletter.desk.view_helpers import permission_required
from newsletter.digest.content import Credit
from newsletter.digest.labels import credit_line
from newsletter.digest.rich_text.table import LANGUAGE
from newsletter.editorial.finders import find_pictures
from newsletter.editorial.models import Picture
from newsletter.editorial.picture_usage import alt_texts, usage
from newsletter.editorial.pictures import Copy
from newsletter.lib.languages import page_language

LATEST = 100
"""How many pictures the list without JavaScript offers."""
PER_PAGE = 24
"""How many the dialog loads at a time."""


@dataclass(frozen=True)
class PictureChoice:
    """What editors see of a picture: `articles` is in how many it is used."""

    picture: Picture
    articles: int
    language: str = ""
    """That of the text in which it will stand."""
    alt_text: str = ""
    """How an article in that language describes it."""

    @property
    def name(self) -> str:
        return self.picture.name or str(self.picture.file.name).rsplit("/", 1)[-1]

    @property
    def thumbnail(self) -> Copy:
        return self.picture.thumbnail

    @property
    def credit_line(self) -> str:
        """The credit with its label in the text's language, as a caption contains it."""
        if not self.picture.credit:
            return ""
        credit = Credit(self.picture.kind, self.picture.credit)  # type: ignore[arg-type]
        return credit_line(credit, page_language(self.language))


def choices_of(pictures: list[Picture], language: str = "") -> list[PictureChoice]:
    used = usage(pictures)
    known = alt_texts(pictures, language) if language else {}
    return [
        PictureChoice(picture, used[picture.pk], language, known.get(picture.pk, ""))
        for picture in pictures
    ]


class _LatestPictures(ModelChoiceIterator[Picture]):
    def __iter__(self) -> Iterator[tuple[Any, str]]:
        if self.field.empty_label is not None:
            yield "", str(self.field.empty_label)
        for picture in self.queryset[:LATEST]:
            yield self.choice(picture)

    def __len__(self) -> int:
        return min(super().__len__(), LATEST + 1)


class PicturePicker(forms.Select):
    """The widget. Its script is a module that its template loads, so it needs no nonce."""

    class Media:
        css: ClassVar = {"all": ("desk/picture_picker.css",)}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        rows = Picture.objects.filter(pk=value) if str(value or "").isdecimal() else []
        context = {
            "select": super().render(name, value, attrs, renderer),
            "id": (attrs or {}).get("id", f"id_{name}"),
            "chosen": next(iter(choices_of(list(rows))), None),
        }
        return render_to_string("desk/picture_picker.html", context)

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> list[Any]:
        """Offer the chosen picture too, even if it isn't one of the latest."""
        groups = list(super().optgroups(name, value, attrs))
        offered = {str(option["value"]) for _, options, _ in groups for option in options}
        missing = [pk for pk in value if pk.isdecimal() and pk not in offered]
        for picture in Picture.objects.filter(pk__in=missing):
            index = len(groups)
            option = self.create_option(name, picture.pk, str(picture), selected=True, index=index)
            groups.append((None, [option], index))
        return groups


class PictureChoiceField(forms.ModelChoiceField[Picture]):
    iterator = _LatestPictures
    widget = PicturePicker


def form_field_options() -> dict[str, Any]:
    """Return the options with which ModelAdmin.formfield_for_foreignkey makes it the field."""
    return {"form_class": PictureChoiceField, "widget": PicturePicker()}


@require_safe
@permission_required("editorial.view_picture")
def options(request: HttpRequest) -> HttpResponse:
    """Return a page of the dialog's pictures as HTML: those with ?q=words, or the one with ?id=.

    ?language= is that of the text in which the picture will stand.
    """
    rows: QuerySet[Picture]
    if (wanted := request.GET.get("id", "")).isdecimal():
        rows = Picture.objects.filter(pk=wanted)
    else:
        words = request.GET.get("q", "")
        rows = Picture.objects.order_by("-pk")
        rows = find_pictures(rows, words) if words.strip() else rows
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    language = request.GET.get("language", "")
    language = language if LANGUAGE.fullmatch(language) else get_language() or ""
    context = {"choices": choices_of(list(page.object_list), language), "page": page}
    return render(request, "desk/picture_options.html", context)


@require_safe
@permission_required("editorial.view_picture")
def dialog(request: HttpRequest) -> HttpResponse:
    """Return the dialog itself as HTML, for the rich-text editor."""
    return render(request, "desk/picture_dialog.html", {"id": "picture_in_text"})
