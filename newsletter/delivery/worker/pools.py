"""The Celery workers: one for each queue, with separate processes.

So nothing on the control queue waits for a mailing, however slow the relay is.
"""

from __future__ import annotations

from celery import current_app


def run_pool(queue: str, *, concurrency: int, node: str) -> int:
    """Serve the queue until SIGTERM; return the exit status. `node` is Celery's name for us."""
    worker = current_app.Worker(
        hostname=node,
        concurrency=concurrency,
        queues=queue,
        loglevel="INFO",
        quiet=True,
        # The database tells each worker what is due, so they needn't know of each other.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
