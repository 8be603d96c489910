"""Run one worker process of a mailing: wait for a line, send due batches, report in JSON.

It runs the worker's own task without a broker, because waking a worker takes one message a
minute.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from time import perf_counter

import django
from django.conf import settings
from django.db import connection


def main() -> None:
    django.setup()
    logging.disable(logging.INFO)
    # A worker asks the broker's server once per batch what others have learned of the relay. There
    # is none here, and looking for it would be measured.
    settings.CELERY_BROKER_URL = "memory://"
    from benchmarks import stages
    from benchmarks.processes import cpu_seconds, peak_memory
    from newsletter.delivery.sending import protocol
    from newsletter.delivery.tasks import send
    from subscribers.links import reader_urls

    reader_urls.one_click_urls()(1)  # a worker loads routes once, not per mailing
    clocks = stages.install() if "stages" in sys.argv else stages.Clocks()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    print("ready", flush=True)
    sys.stdin.readline()
    started, cpu, database = perf_counter(), cpu_seconds(), cpu_seconds(backend)
    while due := protocol.due_batches(1):
        send(due[0])
    print(
        json.dumps(
            {
                "seconds": perf_counter() - started,
                "cpu": cpu_seconds() - cpu,
                "database": cpu_seconds(backend) - database,
                "memory": peak_memory(),
                "stages": clocks.seconds,
            }
        ),
        flush=True,
    )
    # The interpreter's shutdown isn't part of the measurement.
    sys.stdin.readline()
    os._exit(0)


if __name__ == "__main__":
    main()
