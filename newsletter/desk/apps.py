from django.apps import AppConfig, apps
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models.signals import post_migrate


class DeskConfig(AppConfig):
    name = "newsletter.desk"
    label = "desk"

    def ready(self) -> None:
        from newsletter.desk.groups import create_groups

        # Delivery is the last of ours with models: by then all permissions are there.
        post_migrate.connect(create_groups, sender=apps.get_app_config("delivery"))


class DeskAdminConfig(SimpleAdminConfig):
    """The stock admin with our site in place of Django's, which looks for what is registered once
    its addresses are asked for: a worker needs none of it, and would hold 16 MB."""

    default_site = "newsletter.desk.site.DeskSite"
