"""Articles, with their translations as tabs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.desk import picture_picker
from newsletter.desk.deletion import RestorableAdmin
from newsletter.desk.language_tabs import TabbedAdmin, TranslationInline
from newsletter.desk.search import SearchAdmin
from newsletter.editorial import finders
from newsletter.editorial.models import Article, ArticleTranslation, Newsletter
from newsletter.editorial.revisions import is_stale, mark_up_to_date
from newsletter.lib.languages import language_name


class ArticleTranslationForm(forms.ModelForm[ArticleTranslation]):
    """One translation of an article. A stale one can be marked as up to date."""

    is_current = forms.BooleanField(
        label=_("This translation is up to date with the original"), required=False
    )
    stale = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = self.instance
        self.stale = bool(text.pk) and is_stale(text, _original(text))
        if not self.stale:
            del self.fields["is_current"]


def _original(text: ArticleTranslation) -> ArticleTranslation | None:
    return text.article.text([text.article.original_language])


class ArticleTranslationInline(TranslationInline):
    model = ArticleTranslation
    form = ArticleTranslationForm
    verbose_name_plural = _("text")
    fields = (
        "language",
        "headline",
        "lead",
        "body",
        "state",
        "authors",
        "alt_text",
        "slug",
        "correction",
    )

    def languages_of(self, request: HttpRequest, obj: Any) -> list[str]:
        newsletter = obj.newsletter if obj else requested_newsletter(request)
        languages = list(newsletter.languages) if newsletter else []
        original = obj.original_language if obj else request.POST.get("original_language")
        return sorted(languages, key=lambda code: code != original)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in {"lead", "correction"}:
            field.widget.attrs["rows"] = 3 if db_field.name == "lead" else 2
        return field


def requested_newsletter(request: HttpRequest) -> Newsletter | None:
    """Return the newsletter of a new row: the one named, its issue's, or the first."""
    chosen = request.POST.get("newsletter") or request.GET.get("newsletter", "")
    if chosen.isdecimal():
        return Newsletter.objects.filter(pk=chosen).first()
    issue = request.GET.get("issue", "")
    if issue.isdecimal():
        return Newsletter.objects.filter(issues=int(issue)).first()
    return Newsletter.objects.first()


class ArticleForm(forms.ModelForm[Article]):
    """An article's own fields. The original language is chosen from the newsletters' languages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "original_language" not in self.fields:
            return  # the user may only view
        codes = [code for row in Newsletter.objects.all() for code in row.languages]
        codes += [self.instance.original_language] if self.instance.pk else []
        field = self.fields["original_language"]
        self.fields["original_language"] = forms.ChoiceField(
            label=field.label,
            choices=[(code, language_name(code)) for code in dict.fromkeys(codes)],
        )
        self.fields["published_at"].help_text = _("Local time: %(zone)s.") % {
            "zone": timezone.get_current_timezone_name()
        }

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        newsletter = data.get("newsletter")
        for name in ("issue", "topic"):
            related = data.get(name)
            if newsletter and related and related.newsletter_id != newsletter.pk:
                self.add_error(name, _("This belongs to another newsletter."))
        original = data.get("original_language")
        if newsletter and original and original not in newsletter.languages:
            self.add_error("original_language", _("The newsletter doesn’t have this language."))
        if data.get("similar") and len(data["similar"]) > 3:
            self.add_error("similar", _("Choose up to three."))
        return data


@admin.register(Article)
class ArticleAdmin(RestorableAdmin, SearchAdmin, TabbedAdmin):
    form = ArticleForm
    inlines = [ArticleTranslationInline]
    list_display = ("__str__", "issue", "topic", "languages", "published_at")
    list_filter = ("newsletter", "topic", "translations__state")
    search_help_text = _("Searches headlines, leads, texts and authors in all languages.")
    date_hierarchy = "published_at"
    ordering = ("-published_at", "-pk")
    autocomplete_fields = ("issue", "similar")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("newsletter", "issue"),
                    ("topic", "position"),
                    ("published_at", "original_language"),
                    "picture",
                )
            },
        ),
        (
            _("More"),
            {
                "classes": ["collapse"],
                "fields": ("dateline", "similar", ("credit_kind", "credit")),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        rows = super().get_queryset(request).select_related("issue__newsletter", "topic")
        return rows.prefetch_related("translations", "topic__translations")

    def find(self, rows: QuerySet[Article], text: str) -> QuerySet[Article]:
        return finders.find_articles(rows, text)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "picture":
            kwargs |= picture_picker.form_field_options()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        newsletter = requested_newsletter(request)
        if newsletter:
            initial.setdefault("newsletter", newsletter.pk)
            initial.setdefault("original_language", newsletter.languages[0])
        issue = initial.get("issue")
        if issue and str(issue).isdecimal():
            rows = Article.objects.filter(issue=issue).order_by("-position")
            last = rows.values_list("position", flat=True).first()
            initial.setdefault("position", (last or 0) + 1)
        return initial

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm[Any],
        formsets: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        super().save_related(request, form, formsets, change)
        for formset in formsets:
            for translation in formset.forms:
                if translation.instance.pk and translation.cleaned_data.get("is_current"):
                    mark_up_to_date(translation.instance)

    @admin.display(description=_("languages"))
    def languages(self, article: Article) -> str:
        return translation_states(article)


def translation_states(article: Article) -> str:
    """Return each translation's state: "EN ✓ · BE draft"."""
    return " · ".join(
        f"{text.language.upper()} {'✓' if text.is_ready else text.get_state_display()}"
        for text in article.texts().values()
    )
