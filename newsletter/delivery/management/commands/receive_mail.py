"""`manage.py receive_mail`: take one email from a mail server's pipe, for a worker to read.

It seals the email with the public key and stores it, so it needs no worker keys. Its exit status is
what a mail server understands (sysexits.h): 0, or 75 for “try again later”.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandParser

from newsletter.delivery.feedback.mail.incoming import HEAD_BYTES
from newsletter.delivery.feedback.mail.mailboxes import MAX_BYTES
from subscribers import intake

log = logging.getLogger(__name__)

EX_TEMPFAIL = 75
CHUNK = 1_000_000
RECIPIENT_VARIABLES = ("ORIGINAL_RECIPIENT", "RECIPIENT")
"""Postfix sets both for a command, Exim the second."""


class Command(BaseCommand):
    help = (
        "Read one email from standard input and store it, encrypted, for a worker: a bounce, a "
        "complaint or an unsubscription. For a pipe in the mail server's aliases."
    )
    # A mail server starts it for each email. The checks would take longer than its work.
    requires_system_checks = []
    stealth_options = ("stdin",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--recipient",
            default="",
            metavar="ADDRESS",
            help="The envelope's recipient, such as bounce+ID@bounces.example.org. Postfix and "
            "Exim name it in the environment too.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        head, size = _read(options.get("stdin") or sys.stdin.buffer)
        if size > MAX_BYTES:
            # Another try would change nothing, and nothing is ever answered.
            log.warning("mail-too-large", extra={"bytes": size})
            return
        recipient = options["recipient"] or _recipient_in_environment()
        try:
            intake.receive_email(head, recipient=recipient)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail server shall keep it
            # Only the type is logged: the message or traceback may contain an address.
            log.error("mail-not-stored", extra={"reason": type(error).__name__})
            raise SystemExit(EX_TEMPFAIL) from None


def _read(source: BinaryIO) -> tuple[bytes, int]:
    """Return the first bytes of the email and its size. All of it is read, because a mail server
    takes a closed pipe for a failure."""
    head, size = source.read(HEAD_BYTES), 0
    while more := source.read(CHUNK):
        size += len(more)
    return head, len(head) + size


def _recipient_in_environment() -> str:
    found = (os.environ.get(name, "") for name in RECIPIENT_VARIABLES)
    return next(filter(None, found), "")
