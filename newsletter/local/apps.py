from django.apps import AppConfig


class LocalConfig(AppConfig):
    name = "newsletter.local"
    label = "local"

    def ready(self) -> None:
        from newsletter import checks

        checks.register()
