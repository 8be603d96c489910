"""`manage.py thaw`: ends a freeze, where the worker's keys are."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.delivery.oversight import kill_switch
from subscribers.crypto.sealing import SealedError


class Command(BaseCommand):
    help = "Ends a freeze. Needs the worker's keys. What was being sent waits."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            paused = kill_switch.release()
        except SealedError as error:
            raise CommandError(f"The site stays frozen: {error}.") from None
        except kill_switch.CannotReleaseError as error:
            raise CommandError(f"The site stays frozen. {error}") from None
        self.stdout.write("Thawed.")
        if paused:
            self.stdout.write(f"{paused} send-outs wait: resume or cancel each in the desk.")
