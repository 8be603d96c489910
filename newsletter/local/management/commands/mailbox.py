"""`manage.py mailbox`: receive the site's email for `/inbox/`. `manage.py up` starts it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.local.mailbox import Mailbox
from newsletter.local.smtp_server import serve


class Command(BaseCommand):
    help = "Receives email on the loopback interface and stores it in files."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.USES_LOCAL_MAILBOX:
            raise CommandError("DELIVERY_TRANSPORTS doesn't include the local mailbox.")
        # aiosmtpd logs each recipient (G8).
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        mailbox = Mailbox(settings.LOCAL_MAILBOX_DIR)
        mailbox.rebuild_index()
        try:
            asyncio.run(serve(mailbox, port=settings.MAILBOX_PORT))
        except OSError as error:
            raise CommandError(
                f"Can't listen on MAILBOX_PORT {settings.MAILBOX_PORT}: {error.strerror}"
            ) from None
