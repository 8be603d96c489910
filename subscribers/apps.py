from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SubscribersConfig(AppConfig):
    name = "subscribers"
    verbose_name = _("Readers")

    def ready(self) -> None:
        from subscribers.personal_data import erase_reader, export_reader, register

        register("reader", export=export_reader, erase=erase_reader)
