"""HEARTBEAT_URL: an outside monitor notices when ticks stop (E9)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from newsletter.delivery import tasks
from newsletter.delivery.models import TaskRun
from newsletter.delivery.sending import rescue
from newsletter.delivery.worker import heartbeat

pytestmark = [pytest.mark.django_db, pytest.mark.server]


class Monitor(ThreadingHTTPServer):
    """A monitor that notes the paths of its pings."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pings: list[str] = []
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()


class _Handler(BaseHTTPRequestHandler):
    server: Monitor

    def do_GET(self) -> None:
        self.server.pings.append(self.path)
        self.server.answers.wait(10)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def monitor(settings: Any) -> Iterator[Monitor]:
    server = Monitor()
    settings.HEARTBEAT_URL = f"http://127.0.0.1:{server.server_port}/ping/secret/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.answers.set()
    server.shutdown()
    thread.join()
    server.server_close()


def fail() -> int:
    raise KeyError("a bug")


def test_it_is_off_by_default(settings: Any) -> None:
    assert settings.HEARTBEAT_URL == ""
    heartbeat.ping(failed=False)
    assert not TaskRun.objects.exists()


def test_each_tick_pings_and_says_whether_a_step_failed(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.tick()
    assert not TaskRun.objects.get(pk="tick").failing
    TaskRun.objects.all().delete()
    monkeypatch.setattr(rescue, "finish_mailings", fail)
    with pytest.raises(ExceptionGroup):
        tasks.tick()
    assert monitor.pings == ["/ping/secret", "/ping/secret/fail"]
    assert TaskRun.objects.get(pk="tick").failing


def test_a_tick_that_does_nothing_does_not_ping(monitor: Monitor) -> None:
    tasks.tick()
    tasks.tick()
    assert len(monitor.pings) == 1


def test_an_outage_of_the_monitor_is_logged_once_and_without_its_url(
    monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    monitor.status = 500
    for _ in range(3):
        heartbeat.ping(failed=False)
    assert caplog.text.count("action=heartbeat-failed") == 1
    assert 'error="HTTPError 500"' in caplog.text
    monitor.status = 200
    for _ in range(2):
        heartbeat.ping(failed=False)
    assert caplog.text.count("action=heartbeat-works-again") == 1
    assert "secret" not in caplog.text


def test_a_monitor_that_does_not_answer_is_given_up(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(heartbeat, "TIMEOUT", 0.05)
    monitor.answers.clear()
    assert tasks.tick() != {}
    assert "action=heartbeat-failed error=TimeoutError" in caplog.text


def test_nothing_listens(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.HEARTBEAT_URL = "http://127.0.0.1:1/secret"
    heartbeat.ping(failed=False)
    assert "action=heartbeat-failed error=URLError" in caplog.text
