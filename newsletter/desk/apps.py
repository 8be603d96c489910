from django.apps import AppConfig, apps
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models.signals import post_migrate


class DeskConfig(AppConfig):
    name = "newsletter.desk"
    label = "desk"

    def ready(self) -> None:
        from newsletter.desk.access.roles import create_roles
        from newsletter.desk.sign_in import sessions

        # Delivery is our last app with models, so all permissions exist by then.
        post_migrate.connect(create_roles, sender=apps.get_app_config("delivery"))
        sessions.connect()


class DeskAdminConfig(SimpleAdminConfig):
    """Django's admin app with DeskSite as its site.

    DeskSite discovers the admin modules when its URLs are first needed. A worker never needs them,
    which saves it 16 MB.
    """

    default_site = "newsletter.desk.site.DeskSite"
