"""`manage.py mailbox`: receives what the site sends, for `/inbox/`. `manage.py up` starts it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.local.mailbox import Mailbox
from newsletter.local.smtp_server import serve


class Command(BaseCommand):
    help = "Receives mail on this machine's loopback and keeps it as files."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.USES_LOCAL_MAILBOX:
            raise CommandError("DELIVERY_TRANSPORTS does not name the local mailbox.")
        # It logs each recipient (G8).
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        mailbox = Mailbox(settings.LOCAL_MAILBOX_DIR)
        mailbox.rebuild_index()
        try:
            asyncio.run(serve(mailbox, port=settings.MAILBOX_PORT))
        except OSError as error:
            raise CommandError(f"MAILBOX_PORT {settings.MAILBOX_PORT}: {error.strerror}") from None
