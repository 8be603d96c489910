"""One worker process of a send-out: waits for a line, sends what is due, reports in JSON.

What it runs is the worker's own task, without a broker in between: a hint costs a worker one
message a minute.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from time import perf_counter

import django
from django.db import connection


def main() -> None:
    django.setup()
    logging.disable(logging.INFO)
    from benchmarks import stages
    from benchmarks.processes import cpu_seconds, peak_memory
    from newsletter.delivery.sending import protocol
    from newsletter.delivery.tasks import send
    from subscribers.links import reader_urls

    reader_urls.one_click_url(1)  # routes are loaded once in a worker's life, not once a send-out
    clocks = stages.install() if "stages" in sys.argv else stages.Clocks()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu, database = perf_counter(), cpu_seconds(), cpu_seconds(backend)
    while due := protocol.due_batches(1):
        send(due[0])
    print(
        json.dumps(
            {
                "seconds": perf_counter() - began,
                "cpu": cpu_seconds() - cpu,
                "database": cpu_seconds(backend) - database,
                "memory": peak_memory(),
                "stages": clocks.seconds,
            }
        ),
        flush=True,
    )
    # Without the interpreter's farewell, which is not what is measured.
    sys.stdin.readline()
    os._exit(0)


if __name__ == "__main__":
    main()
