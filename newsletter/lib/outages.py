"""Logs one line when the database, the broker or the cache goes down, and one when it is back.

While a service is down, everything that uses it fails, each time with the same traceback. A filter
on the log handler drops these records. The first one starts a thread that probes the service and
logs `unavailable`, then `still-unavailable` at long intervals, then `available-again`. The thread
ends with the outage.

If the first probe succeeds, only a connection was lost; that is logged as one line too.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from time import monotonic

log = logging.getLogger(__name__)

PROBE_SECONDS = 2.0
REMINDER_SECONDS = 300.0
# SQLSTATEs of a server that is shutting down, starting, or out of connections.
_CONNECTION_SQLSTATES = ("08", "57P", "53300")


class OutageMonitor:
    """Knows which services are down. `probes` maps each to a function that raises while it is."""

    def __init__(
        self,
        probes: Mapping[str, Callable[[], object]],
        *,
        probe_seconds: float = PROBE_SECONDS,
        reminder_seconds: float = REMINDER_SECONDS,
    ) -> None:
        self._probes = probes
        self._probe_seconds, self._reminder_seconds = probe_seconds, reminder_seconds
        self.reset()

    def reset(self) -> None:
        """Clear all state; also in a process that was just forked, which has no thread."""
        self._lock = threading.Lock()
        self._suspected: dict[str, str] = {}
        self._down: dict[str, _Outage] = {}
        self._thread: threading.Thread | None = None

    def is_any_suspected(self) -> bool:
        """Return whether any service is down or suspected."""
        return bool(self._down or self._suspected)

    def report_failure(self, service: str, error: str) -> None:
        """Report that something failed because of `service`, with the name of the exception."""
        with self._lock:
            if service in self._down or service in self._suspected:
                return
            self._suspected[service] = error
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outages", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        stop = threading.Event()
        while self._probe_all():
            stop.wait(self._probe_seconds)

    def _probe_all(self) -> bool:
        """Probe all suspected services; return False once all are up, so that the thread ends."""
        with self._lock:
            suspected, self._suspected = self._suspected, {}
            for service in suspected:
                self._down[service] = _Outage()
            outages = list(self._down.items())
        for service, outage in outages:
            error = self._probe(service)
            now = monotonic()
            if error:
                self._still_down(service, outage, error, now)
                continue
            with self._lock:
                del self._down[service]
            if outage.announced_at is None:
                facts = {"service": service, "error": suspected.get(service, "")}
                log.warning("connection-lost", extra=facts)
            else:
                seconds = round(now - outage.started_at)
                log.warning("available-again", extra={"service": service, "seconds": seconds})
        with self._lock:
            if self._down or self._suspected:
                return True
            self._thread = None
            return False

    def _still_down(self, service: str, outage: _Outage, error: str, now: float) -> None:
        facts = {"service": service, "error": error}
        if outage.announced_at is None:
            log.error("unavailable", extra=facts)
        elif now - outage.announced_at >= self._reminder_seconds:
            facts["seconds"] = str(round(now - outage.started_at))
            log.error("still-unavailable", extra=facts)
        else:
            return
        outage.announced_at = now

    def _probe(self, service: str) -> str:
        """Return the name of the exception that probing the service raises, or ""."""
        try:
            self._probes[service]()
        except Exception as error:  # noqa: BLE001 - any exception means that it is down
            return type(error).__name__
        return ""


class _Outage:
    def __init__(self) -> None:
        self.started_at = monotonic()
        self.announced_at: float | None = None


class OutageFilter(logging.Filter):
    """Drops records of failures that an outage explains, and reports them to the monitor."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == __name__ or record.levelno < logging.WARNING:
            return True
        for error in _errors_in(record):
            services = {failed_service(leaf, record.name) for leaf in _leaf_errors(error)}
            # A group may also contain another failure, which must be logged.
            if services and None not in services:
                for service in services:
                    monitor.report_failure(str(service), type(error).__name__)
                return False
        # Django logs every 5xx response, even that of the health check.
        is_5xx = record.name == "django.request" and not record.exc_info
        return not (is_5xx and record.levelno >= logging.ERROR and monitor.is_any_suspected())


def _errors_in(record: logging.LogRecord) -> Iterator[BaseException]:
    if record.exc_info and record.exc_info[1]:
        yield record.exc_info[1]
    # Celery logs “Cannot connect …” with the exception as an argument.
    arguments = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
    yield from (each for each in arguments if isinstance(each, BaseException))


def _leaf_errors(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaf_errors(each)
    else:
        yield error


def failed_service(error: BaseException | None, logger: str = "") -> str | None:
    """Return the service that caused the exception: "database", "broker", "cache" or None.

    An error of Redis is the broker's if Celery's connection logs it, else the cache's.
    """
    while error is not None:
        module = type(error).__module__
        names = {each.__name__ for each in type(error).__mro__}
        if module.startswith("psycopg") and _is_connection_error(error, names):
            return "database"
        if module.startswith("kombu") and "OperationalError" in names:
            return "broker"
        in_celery = logger.startswith(("celery.worker", "celery.beat", "kombu"))
        if module.startswith("redis") and names & {"ConnectionError", "TimeoutError"}:
            return "broker" if in_celery else "cache"
        if in_celery and isinstance(error, ConnectionError):
            return "broker"
        error = error.__cause__
    return None


def _is_connection_error(error: BaseException, names: set[str]) -> bool:
    """Return whether psycopg's error means a lost connection, not a lock or a bad query."""
    if not names & {"OperationalError", "InterfaceError"}:
        return False
    state = getattr(error, "sqlstate", None)
    return state is None or state.startswith(_CONNECTION_SQLSTATES)


def _probe_database() -> None:
    # Connections belong to a thread, so nothing else uses this one.
    from django.db import connections

    connection = connections["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def _probe_broker() -> None:
    from celery import current_app

    with current_app.connection(connect_timeout=5) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)


def _probe_cache() -> None:
    from django.core.cache import cache

    cache.get("outages")


monitor = OutageMonitor(
    {"database": _probe_database, "broker": _probe_broker, "cache": _probe_cache}
)
os.register_at_fork(after_in_child=monitor.reset)
