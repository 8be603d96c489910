from functools import partial

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "newsletter.delivery"
    label = "delivery"
    verbose_name = _("Delivery")

    def ready(self) -> None:
        from newsletter.delivery import personal_data as delivery_data
        from newsletter.delivery import signals
        from newsletter.delivery.feedback.mail.inbound import handle_sealed_mail
        from newsletter.delivery.feedback.reading import handle_posts
        from newsletter.delivery.feedback.record import record
        from newsletter.delivery.feedback.refusals import record_refusals
        from newsletter.delivery.oversight import alerts
        from newsletter.delivery.sending.picture_use import is_being_sent
        from newsletter.editorial import picture_files
        from subscribers import intake, personal_data
        from subscribers.models import Intake

        personal_data.register("delivery", export=delivery_data.export, erase=delivery_data.erase)
        picture_files.register_use(is_being_sent)
        intake.register_bulk(Intake.Kind.WEBHOOK, handle_posts)
        # Staff hear of it at once, not with the next tick.
        signals.refused.connect(record_refusals)
        signals.alert.connect(alerts.watch_now)
        intake.register(Intake.Kind.MAIL, partial(handle_sealed_mail, record=record))
