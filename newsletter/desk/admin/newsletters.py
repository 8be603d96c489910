"""The newsroom, its newsletters and their topics."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from js_asset import Script

from newsletter.desk.access.admin import ScopedAdmin
from newsletter.desk.deletion import RestorableAdmin
from newsletter.desk.fields import CodeListField, LabelledLinesField
from newsletter.desk.language_tabs import TabbedAdmin, TranslationInline
from newsletter.desk.search import SearchAdmin
from newsletter.editorial import finders
from newsletter.editorial.models import (
    Newsletter,
    NewsletterTranslation,
    Newsroom,
    NewsroomTranslation,
    Topic,
    TopicTranslation,
)


def site_languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


class NewsletterForm(forms.ModelForm[Newsletter]):
    languages = CodeListField(
        label=_("Languages"),
        help_text=_("Language codes in order, for example: en, be, ru"),
        initial=site_languages,
    )
    choices = LabelledLinesField(
        value_key="languages",
        is_list=True,
        required=False,
        label=_("Choices on the sign-up form"),
        help_text=_("One per line, label first. Example: BE/RU = be, ru"),
    )


class NewsletterTranslationInline(TranslationInline):
    model = NewsletterTranslation
    verbose_name_plural = _("wording")
    fields = ("language", "name", "sender_name", "promise", "footer")

    def languages_of(self, request: HttpRequest, obj: Any) -> list[str]:
        return list(obj.languages) if obj else site_languages()


@admin.register(Newsletter)
class NewsletterAdmin(ScopedAdmin, TabbedAdmin):
    newsletter_path = "pk"
    form = NewsletterForm
    inlines = [NewsletterTranslationInline]
    list_display = ("__str__", "slug", "schedule_active", "weekday", "time", "timezone")
    fieldsets = (
        (None, {"fields": ("slug", "languages", "choices", "sender_address", "reply_to")}),
        (
            _("Schedule"),
            {
                "fields": (
                    "schedule_active",
                    ("weekday", "time", "timezone"),
                    "period",
                    ("approval", "least_articles"),
                )
            },
        ),
        (_("Email"), {"fields": (("content", "pictures"),)}),
        (_("More"), {"classes": ["collapse"], "fields": (("position", "list_domain"),)}),
    )


class TopicTranslationInline(TranslationInline):
    model = TopicTranslation
    verbose_name_plural = _("name")
    fields = ("language", "name")

    def languages_of(self, request: HttpRequest, obj: Any) -> list[str]:
        newsletter = obj.newsletter if obj else Newsletter.objects.first()
        return list(newsletter.languages) if newsletter else site_languages()


@admin.register(Topic)
class TopicAdmin(RestorableAdmin, SearchAdmin, TabbedAdmin):
    inlines = [TopicTranslationInline]
    list_display = ("__str__", "slug", "newsletter", "position")
    list_editable = ("position",)
    list_filter = ("newsletter",)
    search_help_text = _("Searches names in all languages, and slugs.")

    def find(self, rows: QuerySet[Topic], text: str) -> QuerySet[Topic]:
        return finders.find_topics(rows, text)


class NewsroomForm(forms.ModelForm[Newsroom]):
    follow_links = LabelledLinesField(
        value_key="url",
        is_list=False,
        required=False,
        label=_("Follow links"),
        help_text=_("One per line. Example: Telegram = https://t.me/…"),
    )


class NewsroomTranslationInline(TranslationInline):
    model = NewsroomTranslation
    verbose_name_plural = _("name and pages")
    fields = ("language", "name", "tagline", "about", "privacy")

    def languages_of(self, request: HttpRequest, obj: Any) -> list[str]:
        return site_languages()


@admin.register(Newsroom)
class NewsroomAdmin(ScopedAdmin, TabbedAdmin):
    newsletter_path = None

    class Media:
        js = (Script("desk/uploads.js", type="module"),)

    form = NewsroomForm
    inlines = [NewsroomTranslationInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Newsroom.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
