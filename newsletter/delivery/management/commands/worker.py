"""`manage.py worker`: a Celery worker with what ours needs, and no more in memory.

`celery -A newsletter worker` is the same, and takes all of Celery's options; its command line
brings an interactive shell along, which each process of the worker then holds (6 MB).
"""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandParser

from newsletter.delivery.worker import concurrency


class Command(BaseCommand):
    help = "Send what is due: issues, confirmations and other single mails. As many as you like."
    # The worker runs ours as it starts (newsletter.celery).
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=int,
            default=2,
            metavar="N",
            help="processes that send issues (2); one more does everything else",
        )
        parser.add_argument(
            "--hostname", help="its name, where several run on one host: second@%%h"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        senders = max(options["concurrency"], 1)
        concurrency.limit(senders)
        worker = current_app.Worker(
            hostname=options["hostname"],
            concurrency=senders + 1,
            queues="celery",
            loglevel="INFO",
            quiet=True,
            # Workers need to know nothing of each other: the database tells each what is due.
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        worker.start()
        raise SystemExit(worker.exitcode)
