"""`manage.py receive_mail` takes an email from a mail server's pipe and seals it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from newsletter.delivery.feedback.mail.inbound import handle_sealed_mail
from newsletter.delivery.feedback.mail.incoming import HEAD_BYTES
from newsletter.delivery.message_ids import MAILING, MessageTrace
from subscribers.crypto.sealing import Ciphertext, open_intake
from subscribers.models import Intake
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.mail import samples
from tests.delivery.feedback.mail.conftest import Recorder

ROOT = Path(__file__).resolve().parents[4]
TRACE = MessageTrace(MAILING, 7, 42)


def receive(raw: bytes, *arguments: str) -> None:
    call_command("receive_mail", *arguments, stdin=io.BytesIO(raw))


def opened() -> dict[str, Any]:
    item = Intake.objects.get()
    return open_intake(Ciphertext(item.sealing_key, bytes(item.sealed)))


def anonymous_bounce() -> bytes:
    """Only the envelope's recipient says which email it is about."""
    return samples.report(status=samples.block("5.1.1", "smtp; 550 5.1.1 unknown"), returned="")


@pytest.mark.django_db
def test_a_process_without_worker_keys_can_take_an_email(
    settings: Any, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """G6: it is sealed, so the address in it is nowhere in clear text."""
    keys, settings.WORKER_KEYS = settings.WORKER_KEYS, None
    receive(anonymous_bounce(), f"--recipient=bounce+{delivery_id(TRACE)}@bounces.news.example")
    assert b"readers.example" not in bytes(Intake.objects.get().sealed)
    assert "readers.example" not in caplog.text
    settings.WORKER_KEYS = keys
    handle_sealed_mail(opened(), record=recorder)
    assert [each.trace for each in recorder.feedback] == [TRACE]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["ORIGINAL_RECIPIENT", "RECIPIENT"])
def test_the_mail_server_may_name_the_recipient_in_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postfix sets both, Exim the second."""
    monkeypatch.setenv("RECIPIENT", "desk@news.example")
    monkeypatch.setenv(name, "bounce+x@bounces.news.example")
    receive(anonymous_bounce())
    assert opened()["recipient"] == "bounce+x@bounces.news.example"


@pytest.mark.django_db
def test_only_the_beginning_of_an_email_is_stored() -> None:
    receive(samples.postfix(delivery_id(TRACE)) + b"x" * 2_000_000)
    assert len(opened()["mail"]) == -(-HEAD_BYTES // 3) * 4


@pytest.mark.django_db
def test_a_huge_email_is_read_to_its_end_and_not_stored(caplog: pytest.LogCaptureFixture) -> None:
    """50 MB: the mail server must not see a closed pipe, nor try again."""

    class Endless(io.RawIOBase):
        left = 50_000_000

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return b"x" * size

    source = Endless()
    call_command("receive_mail", stdin=source)
    assert source.left == 0
    assert not Intake.objects.exists()
    assert "action=mail-too-large bytes=50000000" in caplog.text


@pytest.mark.slow
def test_the_exit_status_says_whether_to_try_again(tmp_path: Path) -> None:
    """sysexits.h: 75 (EX_TEMPFAIL) while the database has no tables, 0 afterwards."""
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "WORKER_KEYS": ""}
    environment.pop("DATABASE_URL", None)

    def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
        )

    raw = samples.postfix(delivery_id(TRACE))
    early = run("receive_mail", stdin=raw)
    assert early.returncode == 75
    assert b"Traceback" not in early.stderr
    assert b"readers.example" not in early.stderr
    assert run("migrate", "--verbosity=0").returncode == 0
    assert run("receive_mail", stdin=raw).returncode == 0
