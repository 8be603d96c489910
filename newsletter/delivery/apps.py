from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "newsletter.delivery"
    label = "delivery"
    verbose_name = _("Delivery")

    def ready(self) -> None:
        from newsletter.delivery import personal_data as delivery_data
        from newsletter.delivery.feedback.reading import handle_posts
        from subscribers import intake, personal_data
        from subscribers.models import Intake

        personal_data.register("delivery", export=delivery_data.export, erase=delivery_data.erase)
        intake.register_bulk(Intake.Kind.WEBHOOK, handle_posts)
