"""`manage.py worker`: run a worker, which consists of three parts.

`control` and `bulk` are Celery workers, one for each queue; `recovery` looks for what was lost.
`celery -A newsletter worker -Q control,bulk` takes all of Celery's options, but does without
recovery and restarts, and its command line imports an interactive shell, which takes 6 MB in each
of the worker's processes.
"""

from __future__ import annotations

import gc
import uuid
from functools import partial
from typing import Any

from celery import current_app
from celery.utils.nodenames import host_format
from django.core.management.base import BaseCommand, CommandParser

from newsletter.delivery.worker import pools, recovery
from newsletter.delivery.worker.supervisor import WorkerSupervisor
from newsletter.lib.queue import BULK, CONTROL, worker_starting

CONTROL_PROCESSES = 2
"""While one takes the snapshot of a large list, the other sends confirmations."""


class Command(BaseCommand):
    help = "Send the emails that are due. Run as many workers as you like."
    # newsletter.celery runs the checks when a worker starts.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=int,
            default=2,
            metavar="N",
            help="how many processes send issues (default: 2); others do everything else",
        )
        parser.add_argument(
            "--hostname", help="the worker's name, if several run on one host: second@%%h"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # A mistake in the configuration is reported once, and isn't retried.
        worker_starting.send(sender=None)
        current_app.loader.import_default_modules()
        name, _, host = (options["hostname"] or "").rpartition("@")
        prefix = f"{name}-" if name else ""
        senders = max(options["concurrency"], 1)
        parts = {CONTROL: CONTROL_PROCESSES, BULK: senders}
        # What is loaded now is never collected, so that the parts keep sharing it.
        gc.collect()
        gc.freeze()
        WorkerSupervisor(
            {
                "recovery": partial(recovery.run, uuid.uuid4()),
                **{
                    queue: partial(
                        pools.run_pool,
                        queue,
                        concurrency=number,
                        node=host_format(f"{prefix}{queue}@{host or '%h'}"),
                    )
                    for queue, number in parts.items()
                },
            }
        ).run()
