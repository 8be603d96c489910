"""What a seized machine or an accident must not reveal: P3, G4–G10."""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.test import Client
from django.views.debug import ExceptionReporter
from pyrage.x25519 import Identity

import newsletter.delivery.tasks  # noqa: F401 - registers the tasks
from newsletter.celery import app
from newsletter.editorial.models import Newsletter, User
from subscribers import intake, lifecycle
from subscribers.crypto import sealing
from subscribers.links import reader_urls, tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake
from tests.subscribers.conftest import filled
from tests.subscribers.test_no_address_leaks import SECRET, assert_hidden, database

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

ATTACKER = ("-m", "tests.seized_process")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seized")


@pytest.fixture(scope="module")
def site(folder: Path) -> Run:
    """Return a function that runs Python with the environment of a worker or of the web process.

    Its database has one reader and one sign-up in the intake.
    """
    call_command("keys", "new", "--no-recovery", str(folder / "keys"), stdout=io.StringIO())
    common = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "VAR_DIR": str(folder / "var"),
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "WEB_KEYS_FILE": str(folder / "keys" / "web.json"),
        "EXPORT_RECIPIENTS": str(Identity.generate().to_public()),
    }
    own = {
        "web": {"WORKER_KEYS": ""},
        "worker": {"WORKER_KEYS_FILE": str(folder / "keys" / "worker.json")},
    }

    def run(who: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**common, **own[who]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    run("web", "manage.py", "migrate", "--verbosity=0")
    run("web", *ATTACKER, "sign-up", SECRET)
    run("worker", "manage.py", "add_reader", SECRET, "--newsletter=weekly", "--languages=en")
    return run


def test_g7_the_web_process_can_decrypt_nothing_and_confirm_no_guess(
    site: Run,
) -> None:
    result = json.loads(site("web", *ATTACKER, "break-in", SECRET).stdout)
    assert result == {"keys": False, "opened": []}
    # With the worker's keys the same attacks succeed, so they are real.
    result = json.loads(site("worker", *ATTACKER, "break-in", SECRET).stdout.splitlines()[-1])
    real = {"open", "address", "arrival", "export", "list", "guess", "look up"}
    assert real | {"kill_switch", "export_readers"} <= set(result["opened"])


@pytest.mark.usefixtures("site")
def test_a_backup_contains_no_address(folder: Path) -> None:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert folder / "site.sqlite3" in files
    for file in files:
        assert_hidden(file.read_bytes(), str(file))


def test_g4_a_crashed_page_reveals_no_posted_data(
    weekly: Newsletter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError("crashed")

    monkeypatch.setattr(intake, "receive_sign_up", crash)
    client = Client(raise_request_exception=False)
    form = filled(email=SECRET)
    answer = client.post("/en/subscribe/", form)
    logs = caplog.text
    assert answer.status_code == 500
    assert "RuntimeError" in logs
    assert_hidden(answer.content, "the page")
    assert_hidden(logs.encode(), "the log")


def test_g4_an_error_report_contains_no_posted_data(
    weekly: Newsletter, monkeypatch: pytest.MonkeyPatch, settings: Any, mailoutbox: list[Any]
) -> None:
    """Reports aren't emailed. If an operator's own code makes one, it contains no posted value."""
    reports: list[str] = []

    def crash(address: object, **kwargs: object) -> None:
        raise RuntimeError("crashed")

    def report(sender: object, request: Any, **kwargs: object) -> None:
        made = ExceptionReporter(request, *sys.exc_info())
        reports.extend([made.get_traceback_text(), made.get_traceback_html()])

    monkeypatch.setattr(intake, "receive_sign_up", crash)
    got_request_exception.connect(report)
    try:
        Client(raise_request_exception=False).post("/en/subscribe/", filled(email=SECRET))
    finally:
        got_request_exception.disconnect(report)
    assert len(reports) == 2
    for made in reports:
        assert "crashed" in made
        assert "receive_sign_up" in made
        assert_hidden(made.encode(), "the report")
    assert settings.ADMINS == []
    assert mailoutbox == []


def test_g5_an_upload_creates_no_temporary_file(
    weekly: Newsletter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = tempfile.NamedTemporaryFile

    def record(*args: Any, **kwargs: Any) -> Any:
        opened.append(str(args))
        return real(*args, **kwargs)

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", record)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = (SECRET + "\n").encode() * 80_000  # above Django's own limit for memory
    Client().post("/en/subscribe/", {"file": SimpleUploadedFile("readers.csv", rows)})
    assert opened == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("kind", Intake.Kind.values)
def test_g6_every_kind_of_intake_is_sealed(kind: str) -> None:
    body = {"event": "bounced", "recipient": SECRET, "address": SECRET}
    sealed = sealing.seal_intake(body)
    Intake.objects.create(kind=kind, sealed=sealed.data, sealing_key=sealed.key_number)
    assert_hidden(database(), "the intake")
    assert sealing.open_intake(sealed) == body
    open_fields = {field.name for field in Intake._meta.get_fields()} - {"sealed"}
    assert open_fields == {"id", "kind", "sealing_key", "received_at", "attempts", "due_at"}


@pytest.mark.django_db
def test_g3_tasks_take_only_numbers_and_store_no_result() -> None:
    app.finalize()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert set(ours) >= {"delivery.tick", "delivery.drain", "delivery.prepare", "delivery.send"}
    for name, task in ours.items():
        given = {
            what for argument, what in get_type_hints(task.run).items() if argument != "return"
        }
        assert given <= {int}, name
    assert app.conf.task_ignore_result
    assert not app.conf.result_backend
    assert not app.conf.task_send_sent_event
    assert not app.conf.worker_send_task_events


def test_g8_the_web_server_keeps_no_access_log() -> None:
    """URLs contain tokens, and log lines would contain visitors' IP addresses."""
    configured = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert configured["accesslog"] is None
    assert configured["loglevel"] == "warning"


def test_g9_no_table_keeps_an_ip_address_or_a_password(editor: User) -> None:
    client = Client(REMOTE_ADDR="203.0.113.77")
    for password in ("wrong-guess", "sign-me-in"):
        client.post("/admin/login/", {"username": "editor", "password": password})
    assert client.get("/admin/").status_code == 200
    for needle in (b"203.0.113.77", b"wrong-guess", b"sign-me-in"):
        assert needle not in database()


def test_g10_no_link_contains_an_address(weekly: Newsletter) -> None:
    subscription = lifecycle.add_confirmed(
        SECRET, newsletter=weekly, languages=("en",), page_language="en", source="operator"
    )
    urls = [
        reader_urls.one_click_urls()(subscription.pk),
        reader_urls.url(LinkPurpose.PREFERENCES, subscription.pk, "en"),
        reader_urls.url(LinkPurpose.CONFIRM, subscription.pk, "en"),
        *(tokens.make(purpose, subscription.pk) for purpose in LinkPurpose),
    ]
    index = bytes(subscription.subscriber.address_hash)
    for url in urls:
        assert_hidden(url.encode(), url)
        assert index.hex() not in url
