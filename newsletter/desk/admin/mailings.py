"""Mailings. Editors view them and act on them, but never edit their fields."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.models import Mailing
from newsletter.delivery.oversight.report import report
from newsletter.desk import mailings, round_ups
from newsletter.desk.access.admin import ScopedAdmin


@admin.register(Mailing)
class MailingAdmin(ScopedAdmin):
    newsletter_path = "release__newsletter"
    list_display = ("__str__", "state", "hold", "readers", "sent", "created_at", "finished_at")
    list_filter = ("state", "release__newsletter")
    list_per_page = 25  # each row takes two queries to count its outcomes
    list_select_related = ("release__newsletter", "release__issue")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        desk_urls = [
            path(
                "<int:mailing_id>/edition/<int:edition_id>/",
                wrap(mailings.edition),
                name="delivery_mailing_edition",
            ),
            path(
                "<int:mailing_id>/edition/<int:edition_id>/frame/",
                wrap(mailings.edition_frame),
                name="delivery_mailing_edition_frame",
            ),
            path("month/<slug:slug>/<str:key>/", wrap(round_ups.show), name="delivery_round_up"),
            path(
                "month/<slug:slug>/<str:key>/frame/",
                wrap(round_ups.frame),
                name="delivery_round_up_frame",
            ),
            path(
                "<int:mailing_id>/<str:name>/", wrap(mailings.perform), name="delivery_mailing_act"
            ),
        ]
        # After "change" and "history", which the pattern for actions would also match.
        stock = super().get_urls()
        return [*desk_urls[:-1], *stock[:-1], desk_urls[-1], *stock[-1:]]

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if not object_id.isdecimal():
            raise Http404
        return mailings.show(request, int(object_id))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("sent"))
    def sent(self, mailing: Mailing) -> int:
        return report(mailing).sent
