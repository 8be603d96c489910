"""One line when the database, the broker or the cache goes away, and one when it is back.

Everything that uses a service fails while it is down, again and again, each time with a traceback
that says the same. A filter on the log's handler recognises such records and drops them; the first
one starts a thread that tries the service, and that alone writes: `unavailable`, then
`still-unavailable` at long intervals, then `available-again`. The thread ends with the outage.

A service that answers when it is first tried had only lost a connection; that is one line too.
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
# psycopg's SQLSTATE classes of a server that is going down, coming up, or full.
_CONNECTION_SQLSTATES = ("08", "57P", "53300")


class OutageMonitor:
    """What this process knows to be down. `probes`: service -> a call that raises while it is."""

    def __init__(
        self,
        probes: Mapping[str, Callable[[], object]],
        *,
        try_seconds: float = PROBE_SECONDS,
        remind_seconds: float = REMINDER_SECONDS,
    ) -> None:
        self._probes = probes
        self._try_seconds, self._remind_seconds = try_seconds, remind_seconds
        self.reset()

    def reset(self) -> None:
        """Know of nothing; also in a process that was just forked, which has no thread."""
        self._lock = threading.Lock()
        self._suspected: dict[str, str] = {}
        self._down: dict[str, _Outage] = {}
        self._watch: threading.Thread | None = None

    def is_any_suspected(self) -> bool:
        """Whether something is down, or may be."""
        return bool(self._down or self._suspected)

    def report_failure(self, service: str, error: str) -> None:
        """Something failed because of `service`; `error` is the exception's class."""
        with self._lock:
            if service in self._down or service in self._suspected:
                return
            self._suspected[service] = error
            if self._watch is None:
                self._watch = threading.Thread(target=self._run, name="outages", daemon=True)
                self._watch.start()

    def _run(self) -> None:
        stop = threading.Event()
        while self._look():
            stop.wait(self._try_seconds)

    def _look(self) -> bool:
        """Try what is suspected or down; False once nothing is, and the thread ends."""
        with self._lock:
            suspected, self._suspected = self._suspected, {}
            for service in suspected:
                self._down[service] = _Outage()
            looked_at = list(self._down.items())
        for service, outage in looked_at:
            error = self._error_of(service)
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
                seconds = round(now - outage.began)
                log.warning("available-again", extra={"service": service, "seconds": seconds})
        with self._lock:
            if self._down or self._suspected:
                return True
            self._watch = None
            return False

    def _still_down(self, service: str, outage: _Outage, error: str, now: float) -> None:
        facts = {"service": service, "error": error}
        if outage.announced_at is None:
            log.error("unavailable", extra=facts)
        elif now - outage.announced_at >= self._remind_seconds:
            facts["seconds"] = str(round(now - outage.began))
            log.error("still-unavailable", extra=facts)
        else:
            return
        outage.announced_at = now

    def _error_of(self, service: str) -> str:
        """The class of the exception that trying the service raises; "" if it answers."""
        try:
            self._probes[service]()
        except Exception as error:  # noqa: BLE001 - whatever it is, the service cannot be used
            return type(error).__name__
        return ""


class _Outage:
    def __init__(self) -> None:
        self.began = monotonic()
        self.announced_at: float | None = None


class OutageFilter(logging.Filter):
    """Drops records of failures that an outage explains, and reports the outage."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == __name__ or record.levelno < logging.WARNING:
            return True
        for error in _errors_in(record):
            services = {failed_service(leaf, record.name) for leaf in _leaf_errors(error)}
            # A group may hold another failure, which has to be seen.
            if services and None not in services:
                for service in services:
                    monitor.report_failure(str(service), type(error).__name__)
                return False
        # Django logs each page that answers 5xx, the health check's too.
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
    """The service whose outage the exception shows: "database", "broker" or "cache"; else None.

    Redis's errors are the broker's if Celery's own connection logs them, else the cache's.
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
    """Whether psycopg's error means that there is no connection: not a lock, not a bad query."""
    if not names & {"OperationalError", "InterfaceError"}:
        return False
    state = getattr(error, "sqlstate", None)
    return state is None or state.startswith(_CONNECTION_SQLSTATES)


def _probe_database() -> None:
    # A connection of its own: the thread's is not in use anywhere else.
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
