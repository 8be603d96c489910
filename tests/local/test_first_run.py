"""What `make run` sets up and prints."""

from __future__ import annotations

import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from newsletter.editorial.models import Newsroom, User
from newsletter.local import first_run, programs

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def var(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    return tmp_path


@pytest.mark.django_db
class TestFirstAccount:
    def test_only_this_user_can_read_its_password(self) -> None:
        first_run.create_editor()
        password = first_run.generated_password()
        assert password
        assert User.objects.get(username="editor").check_password(password)
        assert stat.S_IMODE(first_run.password_path().stat().st_mode) == 0o600
        assert f"editor, password {password}" in first_run.welcome()

    def test_it_is_created_once(self) -> None:
        first_run.create_editor()
        before = first_run.generated_password()
        first_run.create_editor()
        assert first_run.generated_password() == before

    def test_it_is_not_created_if_an_account_exists(self, editor: User) -> None:
        first_run.create_editor()
        assert not first_run.password_path().exists()

    def test_a_changed_password_is_not_shown(self) -> None:
        first_run.create_editor()
        user = User.objects.get(username="editor")
        generated = first_run.generated_password()
        user.set_password("my own words")
        user.save()
        assert first_run.generated_password() is None
        assert str(generated) not in first_run.welcome()


@pytest.mark.django_db
def test_the_sample_is_loaded_once_and_sent_once() -> None:
    for _ in range(2):
        call_command("prepare", stdout=StringIO())
        assert Newsroom.objects.get().is_sample
    assert first_run.pending_sample_issue() == ("yasna", "2026-11-09")
    first_run.clear_sample_issue()
    call_command("prepare", stdout=StringIO())
    assert first_run.pending_sample_issue() is None


@pytest.mark.django_db
def test_with_a_real_transport_the_sample_is_not_loaded(settings: Any) -> None:
    first_run.schedule_sample_issue("yasna", "2026-11-09")
    settings.USES_LOCAL_MAILBOX = False
    call_command("prepare", stdout=StringIO())
    assert not Newsroom.objects.exists()
    assert first_run.pending_sample_issue() is None
    assert "/inbox/" not in first_run.welcome()


class TestPrograms:
    def test_only_the_worker_gets_the_keys_that_decrypt(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORKER_KEYS", "secret")
        monkeypatch.setenv("WORKER_KEYS_FILE", "/secret")
        monkeypatch.setenv("WEB_KEYS", "signs")
        worker = programs.worker().environment
        assert (worker["WORKER_KEYS"], worker["WORKER_KEYS_FILE"]) == ("secret", "/secret")
        for program in (programs.web(), programs.beat(), programs.mailbox()):
            assert program.environment["WORKER_KEYS"] == ""
            assert "WORKER_KEYS_FILE" not in program.environment
            assert program.environment["WEB_KEYS"] == "signs"

    def test_the_broker_gets_no_keys(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
    ) -> None:
        settings.BROKER_SOCKET = str(tmp_path / "run" / "valkey.sock")
        monkeypatch.setenv("WEB_KEYS_FILE", "/web")
        monkeypatch.setenv("WORKER_KEYS", "secret")
        environment = programs.broker().environment
        assert not {"WEB_KEYS", "WEB_KEYS_FILE", "WORKER_KEYS"} & set(environment)

    def test_an_external_broker_is_not_started(self, settings: Any, tmp_path: Path) -> None:
        settings.BROKER_SOCKET = str(tmp_path / "run" / "valkey.sock")
        settings.BROKER_URL = f"redis+socket://{settings.BROKER_SOCKET}"
        settings.USES_LOCAL_MAILBOX = True
        names = ["broker", "mailbox", "web", "worker", "beat"]
        assert [program.name for program in programs.required_programs()] == names
        settings.BROKER_URL = "redis://127.0.0.1:6379/0"
        settings.USES_LOCAL_MAILBOX = False
        assert [program.name for program in programs.required_programs()] == [
            "web",
            "worker",
            "beat",
        ]
        assert list(programs.listening_ports().values()) == [(settings.BIND, "PORT")]
