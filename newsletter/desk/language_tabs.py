"""Translations as tabs in one form. Without JavaScript, all panels are shown in a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import InlineAdminForm
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Case, Field, Model, QuerySet, Value, When
from django.forms import BaseInlineFormSet, HiddenInput, ModelForm
from django.http import HttpRequest
from django.utils.text import capfirst
from js_asset import Media

from newsletter.desk.fields import RichTextField
from newsletter.desk.rich_text import report_dropped
from newsletter.lib.languages import direction, language_name

PROSE_FIELDS = {"body", "introduction", "about", "privacy"}
"""Model fields that get the rich-text editor."""


@dataclass(frozen=True)
class Panel:
    """One language's tab."""

    code: str
    form: InlineAdminForm
    state: str
    """"ready", "draft", or "" if there is no translation yet."""

    @property
    def name(self) -> str:
        return language_name(self.code)

    @property
    def direction(self) -> str:
        return direction(self.code)

    @property
    def has_errors(self) -> bool:
        return bool(self.form.form.errors)


class TranslationFormSet(BaseInlineFormSet[Any, Any, Any]):
    """One form per language: saved translations, the original first, then empty forms."""

    languages: list[str]

    def __init__(self, *args: Any, languages: list[str] | None = None, **kwargs: Any) -> None:
        self.languages = languages or []
        super().__init__(*args, **kwargs)


class TranslationInline(admin.StackedInline[Any, Any]):
    """Base class of the inlines that are shown as language tabs."""

    template = "admin/edit_inline/language_tabs.html"
    formset = TranslationFormSet
    can_delete = False

    def languages_of(self, request: HttpRequest, obj: Any) -> list[str]:
        """Return the languages to offer; the first one is saved first."""
        raise NotImplementedError

    def saved_languages(self, obj: Any) -> set[str]:
        return set(self.queryset_of(obj).values_list("language", flat=True)) if obj else set()

    def queryset_of(self, obj: Any) -> QuerySet[Any]:
        texts: QuerySet[Any] = self.model._default_manager.filter(**{self.parent_name: obj})
        return texts

    @property
    def parent_name(self) -> str:
        return str(self.parent_model._meta.model_name)

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(set(self.languages_of(request, obj)) - self.saved_languages(obj))

    def get_max_num(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(set(self.languages_of(request, obj)) | self.saved_languages(obj))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).order_by("pk")

    def formset_kwargs(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        languages = self.languages_of(request, obj if obj and obj.pk else None)
        saved = self.saved_languages(obj) if obj and obj.pk else set()
        order = Case(
            *(When(language=code, then=Value(number)) for number, code in enumerate(languages)),
            default=Value(len(languages)),
        )
        return {
            "queryset": self.get_queryset(request).order_by(order),
            "initial": [{"language": code} for code in languages if code not in saved],
            "languages": languages,
        }

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "language":
            return super().formfield_for_dbfield(db_field, request, widget=HiddenInput(), **kwargs)
        if db_field.name in PROSE_FIELDS:
            return RichTextField(
                label=capfirst(db_field.verbose_name),
                help_text=db_field.help_text,
                max_length=db_field.max_length,
                required=False,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class TabbedAdmin(admin.ModelAdmin[Any]):
    """A ModelAdmin with translations in tabs and the editor's scripts under the page's CSP."""

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if isinstance(inline, TranslationInline):
            kwargs |= inline.formset_kwargs(request, obj)
        return kwargs

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        widget = getattr(field, "widget", None)
        if isinstance(widget, RelatedFieldWidgetWrapper):
            # Editors add pictures while writing; for other fields the icons only distract.
            is_picture = db_field.name == "picture"
            widget.can_add_related = widget.can_add_related and is_picture
            widget.can_change_related = widget.can_change_related and is_picture
            widget.can_delete_related = widget.can_view_related = False
        return field

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm[Any],
        formsets: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        super().save_related(request, form, formsets, change)
        report_dropped(request, [each for formset in formsets for each in formset.forms])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        nonce = str(request.csp_nonce)  # type: ignore[attr-defined]
        context["media"] = Media.from_media(context["media"]).with_nonce(nonce)
        return super().render_change_form(request, context, *args, **kwargs)


def panels(formset: Any) -> list[Panel]:
    """Return the panels of an InlineAdminFormSet, in the order of its languages."""
    unordered = []
    for form in formset:
        if "__prefix__" in form.form.prefix:
            continue
        code = form.form["language"].value() or ""
        unordered.append(Panel(code, form, _state(form.original)))
    order = {code: number for number, code in enumerate(formset.formset.languages)}
    return sorted(unordered, key=lambda panel: order.get(panel.code, len(order)))


def _state(text: Model | None) -> str:
    if text is None:
        return ""
    if getattr(text, "state", "ready") == "ready":
        return "ready"
    return "draft"
