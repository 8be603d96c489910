from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EditorialConfig(AppConfig):
    name = "newsletter.editorial"
    label = "editorial"
    verbose_name = _("Editorial")

    def ready(self) -> None:
        from newsletter.editorial import picture_files

        picture_files.connect()
