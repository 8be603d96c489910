"""The newsroom's own AdminSite."""

from __future__ import annotations

from django.conf import settings
from django.contrib.admin import AdminSite


class DeskSite(AdminSite):
    site_header = settings.ADMIN_TITLE
    site_title = settings.ADMIN_TITLE
