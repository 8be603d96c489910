from django.apps import AppConfig


class LocalConfig(AppConfig):
    name = "newsletter.local"
    label = "local"
