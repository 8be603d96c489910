"""Redis or PostgreSQL is down for some seconds.

Worker, beat and web log the outage once, and its end, without a traceback.
"""

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
PROCESSES = {"worker": 7, "beat": 1, "web": 2}
"""The worker's recovery and its two pools of two processes, beat, and gunicorn's two workers."""


class Services:
    """Worker, beat and web with their own database and broker."""

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

    def start(self) -> None:
        self.database.start_and_wait()
        self.broker.start_and_wait()
        for words in (("keys", "new", "--no-recovery"), ("prepare",)):
            subprocess.run(
                [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, check=True
            )
        for service in self.services.values():
            service.start()
        wait_until("the web answers", lambda: self.get("/healthz") == 200)
        wait_until("the worker is ready", lambda: self.log("worker").count(" ready.") == 2)

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
        """Try a wrong password, which is counted in the cache, and return the status."""
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

    def actions(self, service: str, about: str) -> Counter[str]:
        """Count the actions about a server that a service's processes logged."""
        lines = re.findall(
            rf"newsletter\.lib\.outages action=(\S+) service={about}\b", self.log(service)
        )
        return Counter(lines)

    def wait_until_logged(self, pairs: list[tuple[str, str]]) -> None:
        def is_logged() -> bool:
            return all(self.actions(service, about)["unavailable"] for service, about in pairs)

        wait_until(f"an outage in {pairs}", is_logged, 40)

    def wait_until_over(self, pairs: list[tuple[str, str]]) -> None:
        """Wait until as many processes have logged the end as the beginning."""

        def is_over() -> bool:
            said = [self.actions(service, about) for service, about in pairs]
            return all(each["unavailable"] == each["available-again"] for each in said)

        wait_until(f"the end of the outage in {pairs}", is_over, 40)


@pytest.fixture
def services() -> Iterator[Services]:
    folder = Path(tempfile.mkdtemp(prefix="tydzen-outages-"))
    folder.chmod(0o755)  # the database's user must be able to enter it
    services = Services(folder)
    try:
        services.start()
        yield services
    finally:
        services.stop()
        shutil.rmtree(folder)


def test_each_outage_is_logged_once_and_without_a_traceback(services: Services) -> None:
    assert services.sign_in() == 200
    services.broker.stop(signal.SIGKILL)
    outages = [("worker", "broker"), ("beat", "broker"), ("web", "cache")]
    for _ in range(3):
        assert services.sign_in() == 200  # counted in the database
    services.wait_until_logged(outages)
    time.sleep(DOWN_SECONDS)
    services.broker.start_and_wait()
    services.wait_until_over(outages)
    assert services.sign_in() == 200

    services.database.stop(signal.SIGQUIT)
    outages += [("worker", "database"), ("web", "database")]
    for _ in range(3):
        assert services.get("/en/") == 500
        assert services.get("/healthz") == 503
    services.wait_until_logged(outages)
    time.sleep(DOWN_SECONDS)
    services.database.start_and_wait()
    services.wait_until_over(outages)
    assert services.get("/healthz") == 200

    for service, about in outages:
        said = services.actions(service, about)
        assert 1 <= said["unavailable"] <= PROCESSES[service], (service, about, said)
    for service in services.services:
        assert "Traceback" not in services.log(service), services.log(service)
    assert "/healthz" not in services.log("web")
    assert "Control server" not in services.log("web")
    assert "CPendingDeprecationWarning" not in services.log("worker")
