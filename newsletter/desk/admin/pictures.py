"""Pictures: the list with their usage, and the form for uploading one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from js_asset import Script

from newsletter.desk import picture_picker
from newsletter.desk.deletion import RestorableAdmin
from newsletter.desk.picture_picker import PictureChoice
from newsletter.desk.search import SearchAdmin
from newsletter.editorial import finders, picture_usage
from newsletter.editorial.models import Picture
from newsletter.lib.byte_sizes import size_name


class UsageFilter(admin.SimpleListFilter):
    title = _("usage")
    parameter_name = "usage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("used", _("used in an article")), ("unused", _("not used in any article"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Picture]) -> QuerySet[Picture]:
        match self.value():
            case "unused":
                return queryset.filter(pk__in=picture_usage.unused_ids())
            case "used":
                return queryset.exclude(pk__in=picture_usage.unused_ids())
        return queryset


class PictureChangeList(ChangeList):
    """Counts the usage of all pictures of a page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        used = picture_usage.usage(self.result_list)
        for picture in self.result_list:
            picture.used_in = used[picture.pk]


@admin.register(Picture)
class PictureAdmin(RestorableAdmin, SearchAdmin):
    newsletter_path = None
    list_display = ("facts", "in_emails", "added_at")
    list_display_links = ("facts",)
    list_filter = (UsageFilter, "kind")
    list_per_page = 50
    search_help_text = _(
        "Searches names, credits, and the headlines of the articles with the picture."
    )
    fields = ("facts", "file", "name", "kind", "credit", "in_emails")
    readonly_fields = ("facts", "in_emails")

    class Media:
        css: ClassVar = {"all": ("desk/picture_picker.css",)}
        js = (Script("desk/uploads.js", type="module"),)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PictureChangeList

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        ours = [
            path("picker/", wrap(picture_picker.options), name="editorial_picture_picker"),
            path("dialog/", wrap(picture_picker.dialog), name="editorial_picture_dialog"),
        ]
        return [*ours, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Picture | None = None) -> Any:
        """Show a picture's facts only once there is a picture."""
        fields = super().get_fields(request, obj)
        return fields if obj else [name for name in fields if name not in self.readonly_fields]

    def find(self, rows: QuerySet[Picture], text: str) -> QuerySet[Picture]:
        return finders.find_pictures(rows, text)

    def save_model(
        self,
        request: HttpRequest,
        obj: Picture,
        form: ModelForm[Picture],
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        super().save_model(request, obj, form, change)
        if obj.scaled_from and obj.scaled_from != (obj.width, obj.height):
            values = {"width": obj.scaled_from[0], "height": obj.scaled_from[1]}
            values |= {"new_width": obj.width, "new_height": obj.height}
            text = gettext(
                "The picture was scaled down from %(width)s × %(height)s to %(new_width)s × "
                "%(new_height)s pixels."
            )
            messages.info(request, text % values)

    @admin.display(description=_("picture"))
    def facts(self, picture: Picture) -> str:
        articles = getattr(picture, "used_in", None)
        if articles is None:  # the picture's own page
            articles = picture_usage.usage([picture])[picture.pk]
        choice = PictureChoice(picture, articles)
        return render_to_string("desk/picture_facts.html", {"choice": choice})

    @admin.display(description=_("in an email"))
    def in_emails(self, picture: Picture) -> str:
        copy = picture.email_copy
        return gettext("%(width)s px wide, %(size)s") % {
            "width": copy.width,
            "size": size_name(copy.size),
        }
