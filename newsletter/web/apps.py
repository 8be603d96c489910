from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "newsletter.web"
    label = "web"
