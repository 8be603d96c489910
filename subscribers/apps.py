from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SubscribersConfig(AppConfig):
    name = "subscribers"
    verbose_name = _("Readers")

    def ready(self) -> None:
        from subscribers import personal_data

        personal_data.register(
            "reader", export=personal_data.export_reader, erase=personal_data.erase_reader
        )
