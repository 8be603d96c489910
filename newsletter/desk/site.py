"""The newsroom's own AdminSite."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


class DeskSite(AdminSite):
    site_header = settings.ADMIN_TITLE
    site_title = settings.ADMIN_TITLE
    index_title = _("This week")
    index_template = "desk/index.html"
    # Few things to choose from: a line above each page does.
    enable_nav_sidebar = False

    def admin_view(self, view: V, cacheable: bool = False) -> V:  # noqa: FBT001, FBT002 - Django's signature
        """Each page shows and reads times where the newsroom is, not in UTC."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def in_local_time(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with timezone.override(newsroom_zone()):
                response: HttpResponseBase = inner(request, *args, **kwargs)
                # Otherwise rendered later, with the zone put back.
                if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                    response.render()
            return response

        return cast(V, in_local_time)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        from newsletter.desk.front import front_page

        return super().index(request, {**front_page(request), **(extra_context or {})})


def newsroom_zone() -> str:
    """The zone of the first newsletter's schedule."""
    from newsletter.editorial.models import Newsletter

    return Newsletter.objects.values_list("timezone", flat=True).first() or "UTC"
