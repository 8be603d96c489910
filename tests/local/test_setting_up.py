"""The first commands on a new machine: `make setup`, `make begin`, and when the site is ready."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from newsletter.lib import time_zones
from newsletter.local import programs

ROOT = Path(__file__).resolve().parent.parent.parent


# --- make begin -----------------------------------------------------------------------------------
def manage(var: Path, *words: str, answers: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(var)}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        input=answers,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "stored"),
    [("Minsk\n\n", time_zones.system_time_zone()), ("Europe/Brussels\n", "Europe/Brussels")],
)
def test_begin_works_in_an_empty_folder(tmp_path: Path, zone: str, stored: str) -> None:
    assert manage(tmp_path, "keys", "new", "--no-recovery").returncode == 0
    done = manage(tmp_path, "begin", answers=f"Weekly\nen,be\ndesk@news.example.org\n{zone}")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert f"Time zone [{time_zones.system_time_zone()}]: " in done.stdout
    assert ("“Minsk” is not a time zone." in done.stdout) is zone.startswith("Minsk")
    with sqlite3.connect(tmp_path / "tydzen.sqlite3") as database:
        rows = database.execute("SELECT slug, timezone FROM editorial_newsletter").fetchall()
    database.close()
    assert rows == [("weekly", stored)]


@pytest.mark.slow
def test_without_a_terminal_begin_names_the_missing_option(tmp_path: Path) -> None:
    assert manage(tmp_path, "keys", "new", "--no-recovery").returncode == 0
    given = ("--name=Weekly", "--languages=en", "--address=desk@news.example.org")
    done = manage(tmp_path, "begin", *given)
    assert done.returncode == 1
    assert "Please give --time-zone. Nothing was changed." in done.stderr


@pytest.mark.parametrize(
    ("target", "expected"),
    [("zoneinfo/Europe/Warsaw", "Europe/Warsaw"), ("elsewhere/Warsaw", "UTC")],
)
def test_the_machines_zone_is_what_localtime_links_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str, expected: str
) -> None:
    (tmp_path / "localtime").symlink_to(tmp_path / target)
    monkeypatch.setattr(time_zones, "LOCALTIME", tmp_path / "localtime")
    assert time_zones.system_time_zone() == expected


# --- make setup -----------------------------------------------------------------------------------
def setup_would_run(var: Path, **environment: str) -> str:
    done = subprocess.run(
        ["make", "--dry-run", "setup", f"VAR_DIR={var}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_setup_creates_keys_unless_the_environment_names_others(tmp_path: Path) -> None:
    assert "keys new" in setup_would_run(tmp_path)
    assert "keys new" not in setup_would_run(tmp_path, WEB_KEYS_FILE="/etc/tydzen/web.json")
    assert "keys new" not in setup_would_run(tmp_path, WEB_KEYS='{"secret_key": "a$b"}')


class TestChoiceOfPython:
    """newsletter/local/python.sh as root: services run as users who can't read /root."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Return the first folder of the PATH, with an `id` that answers root."""
        folder = tmp_path / "bin"
        folder.mkdir()
        self.write(folder / "id", "echo 0")
        return folder

    def write(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def interpreter(self, path: Path, *, shared: bool) -> None:
        """Write a suitable interpreter, which other users can or can't run."""
        self.write(path, f'case "$2" in *ensurepip*) ;; *) exit {int(not shared)};; esac')

    def choose(self, folder: Path, python: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "newsletter/local/python.sh"],
            cwd=ROOT,
            env={"PATH": f"{folder}:{os.environ['PATH']}", "PYTHON": python},
            capture_output=True,
            text=True,
        )

    def test_an_interpreter_for_all_users_comes_first(self, folder: Path) -> None:
        self.interpreter(folder / "mine3", shared=False)
        self.interpreter(folder / "all3", shared=True)
        done = self.choose(folder, "mine3 all3")
        assert (done.stdout, done.stderr) == (f"{folder}/all3\n", "")

    def test_if_only_root_has_one_it_says_what_to_do(self, folder: Path) -> None:
        self.interpreter(folder / "mine3", shared=False)
        done = self.choose(folder, "mine3")
        assert (done.returncode, done.stdout) == (0, f"{folder}/mine3\n")
        assert "the services run as other users" in done.stderr
        assert "make clean && make setup" in done.stderr

    def test_without_any_interpreter_it_stops(self, folder: Path) -> None:
        done = self.choose(folder, "python2.7-of-nobody")
        assert (done.returncode, done.stdout) == (1, "")
        assert "Tydzen needs Python 3.11 to 3.14" in done.stderr

    @pytest.mark.slow
    def test_a_real_interpreter_in_a_private_folder_is_recognised(self, folder: Path) -> None:
        closed = folder / "closed"
        venv.create(closed, symlinks=False, with_pip=False)
        closed.chmod(0o700)
        done = self.choose(folder, str(closed / "bin" / "python"))
        assert done.stdout == f"{closed}/bin/python\n"
        assert "the services run as other users" in done.stderr


# --- manage.py up: the site is ready --------------------------------------------------------------
class OneHost(BaseHTTPRequestHandler):
    """Answers like Django if ALLOWED_HOSTS has only the site's own name."""

    def do_GET(self) -> None:
        allowed = self.headers["Host"] == "news.example.org" and self.path == "/healthz"
        self.send_response(200 if allowed else 400)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def one_host() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), OneHost) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_readiness_is_checked_under_an_allowed_host_name(
    one_host: HTTPServer, settings: Any
) -> None:
    settings.BIND, settings.PORT = "127.0.0.1", one_host.server_port
    settings.ALLOWED_HOSTS = ["news.example.org"]
    assert programs.web().ready()
    settings.ALLOWED_HOSTS = ["other.example.org"]
    assert not programs.web().ready()
