"""Redis or PostgreSQL goes away for some seconds: worker, beat and web say so once, say when it is
back, and write no traceback."""

from __future__ import annotations

import http.cookiejar
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import ROOT, Broker, Postgres, Server, Worker, free_port, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.slow]
DOWN_SECONDS = 8
CELERY = (sys.executable, "-m", "celery", "-A", "newsletter", "--quiet")
PROCESSES = {"worker": 4, "beat": 1, "web": 2}
"""The worker and its three children; gunicorn's workers."""


class Desk:
    """Three services with a database and a broker of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database, self.broker = Postgres(folder), Broker(folder)
        self.port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "VAR_DIR": str(folder / "var"),
            "PORT": str(self.port),
            # No local mailbox, so no sample newsroom is loaded.
            "DELIVERY_TRANSPORTS": f"smtp://127.0.0.1:{free_port()}",
            "DATABASE_URL": self.database.url,
            "BROKER_URL": self.broker.url,
            # A service's user often has no home.
            "HOME": "/nowhere",
            "PYTHONWARNINGS": "ignore:::celery.platforms",
        }
        self.environment = environment
        beat = (*CELERY, "beat", "--scheduler=celery.beat.Scheduler", "--pidfile=")
        web = (sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}")
        self.services = {
            "worker": Worker("worker", folder, environment),
            "beat": Server("beat", [*beat], environment, folder / "beat.log"),
            "web": Server("web", [*web, "newsletter.wsgi"], environment, folder / "web.log"),
        }

    def start_and_wait(self) -> None:
        self.database.start_and_wait()
        self.broker.start_and_wait()
        for words in (("keys", "new", "--no-recovery"), ("prepare",)):
            subprocess.run(
                [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, check=True
            )
        for service in self.services.values():
            service.start()
        wait_until("the web answers", lambda: self.get("/healthz") == 200)
        wait_until("the worker is ready", lambda: " ready." in self.log("worker"))

    def stop(self) -> None:
        for server in (*self.services.values(), self.broker, self.database):
            server.stop()

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(encoding="utf-8")

    def get(self, path: str) -> int:
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            return int(urllib.request.urlopen(url, timeout=20).status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def sign_in(self) -> int:
        """An attempt with a wrong password, which is counted in the cache."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        url = f"http://127.0.0.1:{self.port}/admin/login/"
        page = browser.open(url, timeout=20).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "username": "nobody", "password": "wrong"}
        try:
            return int(browser.open(url, urllib.parse.urlencode(form).encode(), timeout=20).status)
        except urllib.error.HTTPError as error:
            return error.code

    def said(self, service: str, about: str) -> Counter[str]:
        """How often a service's processes named each action about a server."""
        lines = re.findall(
            rf"newsletter\.lib\.outages action=(\S+) service={about}\b", self.log(service)
        )
        return Counter(lines)

    def wait_until_told(self, pairs: list[tuple[str, str]]) -> None:
        def told() -> bool:
            return all(self.said(service, about)["unavailable"] for service, about in pairs)

        wait_until(f"an outage in {pairs}", told, 40)

    def wait_until_over(self, pairs: list[tuple[str, str]]) -> None:
        """As many processes say that it is over as said that it began."""

        def over() -> bool:
            said = [self.said(service, about) for service, about in pairs]
            return all(each["unavailable"] == each["available-again"] for each in said)

        wait_until(f"the end of the outage in {pairs}", over, 40)


@pytest.fixture
def desk() -> Iterator[Desk]:
    folder = Path(tempfile.mkdtemp(prefix="tydzen-outages-"))
    folder.chmod(0o755)  # the database's user passes through it
    desk = Desk(folder)
    try:
        desk.start_and_wait()
        yield desk
    finally:
        desk.stop()
        shutil.rmtree(folder)


def test_each_outage_is_told_once_and_without_a_traceback(desk: Desk) -> None:
    assert desk.sign_in() == 200
    desk.broker.end(signal.SIGKILL)
    gone = [("worker", "broker"), ("beat", "broker"), ("web", "cache")]
    for _ in range(3):
        assert desk.sign_in() == 500
    desk.wait_until_told(gone)
    time.sleep(DOWN_SECONDS)
    desk.broker.start_and_wait()
    desk.wait_until_over(gone)
    assert desk.sign_in() == 200

    desk.database.end(signal.SIGQUIT)
    gone += [("worker", "database"), ("web", "database")]
    for _ in range(3):
        assert desk.get("/en/") == 500
        assert desk.get("/healthz") == 503
    desk.wait_until_told(gone)
    time.sleep(DOWN_SECONDS)
    desk.database.start_and_wait()
    desk.wait_until_over(gone)
    assert desk.get("/healthz") == 200

    for service, about in gone:
        said = desk.said(service, about)
        assert 1 <= said["unavailable"] <= PROCESSES[service], (service, about, said)
    for service in desk.services:
        assert "Traceback" not in desk.log(service), desk.log(service)
    assert "/healthz" not in desk.log("web")
    assert "Control server" not in desk.log("web")
    assert "CPendingDeprecationWarning" not in desk.log("worker")
