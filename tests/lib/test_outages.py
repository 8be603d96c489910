"""An outage is logged when it starts, at long intervals, and when it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import kombu.exceptions
import psycopg
import pytest
import redis.exceptions
from django.db import InterfaceError, OperationalError, ProgrammingError

from newsletter.lib import outages
from newsletter.lib.outages import OutageMonitor, failed_service
from tests.conftest import ReportedOutages


class Server:
    """A service that a test can take down."""

    def __init__(self) -> None:
        self.up = True

    def __call__(self) -> None:
        if not self.up:
            raise ConnectionRefusedError


@pytest.fixture
def server() -> Server:
    return Server()


def eventually(caplog: pytest.LogCaptureFixture, action: str, *, times: int = 1) -> None:
    until = time.monotonic() + 5
    while caplog.messages.count(action) < times:
        assert time.monotonic() < until, f"{action} not among {caplog.messages}"
        time.sleep(0.01)


def made(server: Server, **options: float) -> OutageMonitor:
    return OutageMonitor({"database": server}, **{"probe_seconds": 0.02, **options})


def test_an_outage_starts_and_ends_with_one_line(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    known = made(server)
    server.up = False
    for _ in range(20):
        known.report_failure("database", "OperationalError")
    eventually(caplog, "unavailable")
    for _ in range(20):
        known.report_failure("database", "OperationalError")
    time.sleep(0.1)
    assert caplog.messages == ["unavailable"]
    assert "action=unavailable service=database error=ConnectionRefusedError" in caplog.text
    server.up = True
    eventually(caplog, "available-again")
    assert caplog.messages == ["unavailable", "available-again"]
    assert not known.is_any_suspected()


def test_a_long_outage_is_logged_again(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    known = made(server, reminder_seconds=0.1)
    server.up = False
    known.report_failure("database", "OperationalError")
    eventually(caplog, "still-unavailable", times=2)
    server.up = True
    eventually(caplog, "available-again")
    assert caplog.messages.count("unavailable") == 1


def test_a_second_outage_is_logged_too(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    known = made(server)
    for times in (1, 2):
        server.up = False
        known.report_failure("database", "OperationalError")
        eventually(caplog, "unavailable", times=times)
        server.up = True
        eventually(caplog, "available-again", times=times)


def test_a_lost_connection_is_not_an_outage(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    made(server).report_failure("database", "InterfaceError")
    eventually(caplog, "connection-lost")
    assert caplog.messages == ["connection-lost"]
    assert "service=database error=InterfaceError" in caplog.text


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


GONE = caused(OperationalError("gone"), psycopg.OperationalError("server closed the connection"))
NO_REDIS = redis.exceptions.ConnectionError("refused")


@pytest.mark.parametrize(
    ("error", "logger", "service"),
    [
        (GONE, "django.request", "database"),
        (caused(InterfaceError(), psycopg.InterfaceError()), "celery.app.trace", "database"),
        (caused(OperationalError(), psycopg.errors.AdminShutdown()), "x", "database"),
        (caused(OperationalError(), psycopg.errors.CannotConnectNow()), "x", "database"),
        (caused(OperationalError(), psycopg.errors.DeadlockDetected()), "x", None),
        (caused(OperationalError(), psycopg.errors.QueryCanceled()), "x", None),
        (caused(ProgrammingError(), psycopg.errors.UndefinedTable()), "x", None),
        (OperationalError("database is locked"), "celery.app.trace", None),
        (kombu.exceptions.OperationalError(), "celery.beat", "broker"),
        (NO_REDIS, "celery.worker.consumer.consumer", "broker"),
        (ConnectionRefusedError(), "celery.worker.consumer.consumer", "broker"),
        (NO_REDIS, "django.request", "cache"),
        (redis.exceptions.ResponseError("OOM"), "django.request", None),
        (ConnectionRefusedError(), "newsletter.transport", None),
        (RuntimeError("a fault"), "celery.app.trace", None),
    ],
)
def test_only_connection_errors_count_as_an_outage(
    error: Exception, logger: str, service: str | None
) -> None:
    assert failed_service(error, logger) == service


class TestFilter:
    def passes(
        self, name: str, error: Exception | None, *args: object, level: int = logging.ERROR
    ) -> bool:
        exc_info: Any = (type(error), error, None) if error else None
        record = logging.LogRecord(name, level, "f", 1, "%s " * len(args), args, exc_info)
        return bool(outages.OutageFilter().filter(record))

    def test_a_traceback_that_an_outage_explains_is_dropped(
        self, reported: ReportedOutages
    ) -> None:
        assert not self.passes("django.request", GONE)
        assert reported.services == ["database"]

    def test_celerys_message_with_the_error_is_dropped(self, reported: ReportedOutages) -> None:
        consumer = "celery.worker.consumer.consumer"
        assert not self.passes(consumer, None, "redis://127.0.0.1", NO_REDIS, "Trying again")
        assert reported.services == ["broker"]

    def test_a_group_is_dropped_only_if_every_error_is_explained(
        self, reported: ReportedOutages
    ) -> None:
        assert not self.passes("celery.app.trace", ExceptionGroup("steps", [GONE, GONE]))
        assert self.passes("celery.app.trace", ExceptionGroup("steps", [GONE, RuntimeError()]))

    def test_other_errors_are_logged_during_an_outage(self, reported: ReportedOutages) -> None:
        reported.services = ["database"]
        assert self.passes("django.request", RuntimeError("a fault"))
        assert self.passes("newsletter.delivery.sending.sender", None)

    def test_an_error_page_is_not_logged_again_during_an_outage(
        self, reported: ReportedOutages
    ) -> None:
        assert self.passes("django.request", None)
        reported.services = ["database"]
        assert not self.passes("django.request", None)
        assert self.passes("django.request", None, level=logging.WARNING)


@pytest.fixture(autouse=True)
def info_is_captured(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO):
        yield
