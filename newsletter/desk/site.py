"""The newsroom's own AdminSite."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _


class DeskSite(AdminSite):
    site_header = settings.ADMIN_TITLE
    site_title = settings.ADMIN_TITLE
    index_title = _("This week")
    index_template = "desk/index.html"
    # Few things to choose from: a line above each page does.
    enable_nav_sidebar = False

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        from newsletter.desk.front import front_page

        return super().index(request, {**front_page(request), **(extra_context or {})})
