"""`manage.py worker`: run a Celery worker.

`celery -A newsletter worker` does the same and takes all of Celery's options, but its command line
imports an interactive shell, which then takes 6 MB in each of the worker's processes.
"""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandParser

from newsletter.delivery.worker import concurrency


class Command(BaseCommand):
    help = "Send the emails that are due. Run as many workers as you like."
    # newsletter.celery runs the checks when the worker starts.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=int,
            default=2,
            metavar="N",
            help="how many processes may send issues (default: 2); one more does everything else",
        )
        parser.add_argument(
            "--hostname", help="the worker's name, if several run on one host: second@%%h"
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
            # The database tells each worker what is due, so they needn't know of each other.
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        worker.start()
        raise SystemExit(worker.exitcode)
