"""`manage.py kill_switch on|off|status`: stop everything in an emergency, and start again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.oversight import kill_switch
from subscribers.crypto.sealing import SealedError

ENGAGED = """\
The kill switch is on. Nothing is sent or exported, and everyone is signed out of the desk.
Messages that were already permitted may still leave: at most SEND_STEP for each worker.
To turn it off, run `manage.py kill_switch off` where the worker's keys are.
"""
KEYS_REMOVED = """\
Removed {path}. Stop the web server now: it still has the keys in memory.
`manage.py keys recover` restores the file from your recovery copy.
"""


class Command(BaseCommand):
    help = (
        "Turn the kill switch on or off. While it is on, nothing is sent or exported and nobody "
        "can use the desk. Turning it off needs the worker's keys."
    )
    # In an emergency, a faulty configuration must not get in the way.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="on|off|status", required=True)
        on = actions.add_parser("on", help="stop all sending and exporting, and end all sessions")
        on.add_argument(
            "--drop-web-keys",
            action="store_true",
            help="also delete the web process's key file, so that links can't be signed or read",
        )
        actions.add_parser("off", help="turn it off; mailings stay paused until you resume them")
        actions.add_parser("status", help="show whether it is on")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "on":
            self._turn_on(drop_web_keys=options["drop_web_keys"])
        elif options["action"] == "off":
            self._turn_off()
        else:
            self._show_status()

    def _turn_on(self, *, drop_web_keys: bool) -> None:
        kill_switch.engage()
        self.stdout.write(ENGAGED, ending="")
        if not drop_web_keys:
            return
        path = settings.WEB_KEYS_PATH
        if path is None:
            raise CommandError("WEB_KEYS isn't a file. Remove it from the environment yourself.")
        try:
            path.unlink()
        except OSError as error:
            raise CommandError(
                f"The kill switch is on, but {error.filename} can't be removed: {error.strerror}."
            ) from None
        self.stdout.write(KEYS_REMOVED.format(path=path), ending="")

    def _turn_off(self) -> None:
        try:
            stopped = kill_switch.release()
        except (SealedError, kill_switch.CannotReleaseError) as error:
            raise CommandError(f"The kill switch stays on: {error}.") from None
        self.stdout.write("The kill switch is off.")
        if stopped:
            waiting = "1 mailing waits" if stopped == 1 else f"{stopped} mailings wait"
            self.stdout.write(f"{waiting} for you at the desk, to be resumed, sent or cancelled.")

    def _show_status(self) -> None:
        since = kill_switch.engaged_since()
        if since is None:
            self.stdout.write("The kill switch is off.")
        else:
            self.stdout.write(f"The kill switch has been on since {since:%Y-%m-%d %H:%M} UTC.")
