from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class DeskConfig(AppConfig):
    name = "newsletter.desk"
    label = "desk"


class DeskAdminConfig(AdminConfig):
    """The stock admin with our site in place of Django's."""

    default_site = "newsletter.desk.site.DeskSite"
