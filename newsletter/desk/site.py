"""The desk's AdminSite: local time, the dashboard and the kill switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import AdminSite, autodiscover
from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.i18n import set_language

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


class DeskSite(AdminSite):
    site_header = settings.ADMIN_TITLE
    site_title = settings.ADMIN_TITLE
    index_title = _("This week")
    index_template = "desk/dashboard.html"
    # There are few models: a line of links above each page is enough.
    enable_nav_sidebar = False

    def check(self, app_configs: Sequence[AppConfig] | None) -> list[CheckMessage]:
        autodiscover()
        return super().check(app_configs)

    def admin_view(self, view: V, cacheable: bool = False) -> V:  # noqa: FBT001, FBT002 - Django's signature
        """Wrap the view so that it shows and parses times in the newsroom's zone, not in UTC, and
        so that what it changes is compared with what was approved."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def in_local_time(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            from newsletter.desk import approvals  # needs the models, which are loaded later

            with timezone.override(newsroom_timezone()), approvals.watched(request, view):
                response: HttpResponseBase = inner(request, *args, **kwargs)
                # Render now: later, the zone is UTC again.
                if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                    response.render()
            return response

        return cast(V, in_local_time)

    def has_permission(self, request: HttpRequest) -> bool:
        """Refuse everyone while the kill switch is on."""
        return super().has_permission(request) and not kill_switch_is_on()

    def login(
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 - Django's
    ) -> HttpResponse:
        if kill_switch_is_on():
            context = {**self.each_context(request), "title": _("The kill switch is on")}
            return TemplateResponse(request, "desk/kill_switch_on.html", context, status=503)
        from newsletter.desk.sign_in.views import sign_in

        return sign_in(request)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from newsletter.desk import accounts, deletion, transports
        from newsletter.desk.kill_switch import engage
        from newsletter.desk.rich_text import clean_pasted
        from newsletter.desk.sign_in_again import sign_in_again

        autodiscover()
        return [
            path("language/", set_language, name="set_language"),
            path("clean-pasted/", self.admin_view(clean_pasted), name="clean_pasted"),
            path("sign-in-again/", sign_in_again, name="sign_in_again"),
            path("kill-switch/", self.admin_view(engage), name="kill_switch"),
            path("transports/", self.admin_view(transports.show), name="transports"),
            path("transports/retry/", self.admin_view(transports.retry), name="transport_retry"),
            path("roles/", self.admin_view(accounts.roles), name="roles"),
            path("deleted/", self.admin_view(deletion.deleted), name="deleted"),
            path(
                "deleted/<int:deletion_id>/restore/",
                self.admin_view(deletion.restore),
                name="restore",
            ),
            *super().get_urls(),
        ]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        from newsletter.desk.dashboard import dashboard

        return super().index(request, {**dashboard(request), **(extra_context or {})})


def kill_switch_is_on() -> bool:
    # The site is created before the models are loaded.
    from newsletter.delivery.oversight import kill_switch

    return kill_switch.is_engaged()


def newsroom_timezone() -> str:
    """Return the time zone of the first newsletter's schedule."""
    from newsletter.editorial.models import Newsletter

    return Newsletter.objects.values_list("timezone", flat=True).first() or "UTC"
