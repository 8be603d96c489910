"""`manage.py keys`: two files for two kinds of process, never overwritten."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from newsletter.editorial.models import Newsletter
from newsletter.lib import key_documents, keys
from subscribers import audience, intake, lifecycle
from subscribers.addresses import normalise
from subscribers.crypto import key_check
from subscribers.crypto.sealing import address_hash, seal_intake
from subscribers.models import Intake, KeyCheck, Subscriber, Subscription

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
PASSPHRASE = "seven quiet storks over the Bug"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_both_documents_load_as_keys(tmp_path: Path) -> None:
    call_command("keys", "new", "--no-recovery", str(tmp_path / "keys"), stdout=StringIO())
    web = keys.parse_web_keys((tmp_path / "keys" / "web.json").read_text())
    worker = keys.parse_worker_keys((tmp_path / "keys" / "worker.json").read_text())
    assert web.sealing.keys() == worker.opening.keys() == {1}


def test_the_web_document_can_decrypt_nothing(tmp_path: Path) -> None:
    call_command("keys", "new", "--no-recovery", str(tmp_path), stdout=StringIO())
    assert set(json.loads((tmp_path / "web.json").read_text())) == {
        "secret_key",
        "tokens",
        "sealing",
    }


def test_only_their_owner_can_read_them(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    call_command("keys", "new", "--no-recovery", str(directory), stdout=StringIO())
    assert mode(directory) == 0o700
    assert mode(directory / "web.json") == mode(directory / "worker.json") == 0o600


@pytest.mark.parametrize("name", ["web.json", "worker.json"])
def test_existing_keys_are_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(CommandError, match=f"{name} exists already"):
        call_command("keys", "new", "--no-recovery", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


def test_the_output_explains_both_files_and_shows_no_key(tmp_path: Path) -> None:
    out = StringIO()
    call_command("keys", "new", "--no-recovery", str(tmp_path), stdout=out)
    web = json.loads((tmp_path / "web.json").read_text())
    assert "WEB_KEYS_FILE" in out.getvalue()
    assert "WORKER_KEYS_FILE" in out.getvalue()
    assert web["secret_key"] not in out.getvalue()


# --- Recovery copy and passphrase -------------------------------------------------------------
def manage(*words: str) -> str:
    out = StringIO()
    call_command("keys", *words, stdout=out)
    return out.getvalue()


def test_the_recovery_copy_needs_a_place_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--recovery --no-recovery is required"):
        manage("new", str(tmp_path / "keys"))
    with pytest.raises(CommandError, match="Choose another place"):
        manage("new", str(tmp_path), "--recovery", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []


def test_the_recovery_copy_restores_both_files(tmp_path: Path) -> None:
    copy, first, second = tmp_path / "copy", tmp_path / "keys", tmp_path / "again"
    output = manage("new", str(first), "--recovery", str(copy))
    assert str(copy) in output
    assert mode(copy) == 0o600
    manage("recover", str(copy), str(second))
    for name in ("web.json", "worker.json"):
        assert (second / name).read_text() == (first / name).read_text()
        assert mode(second / name) == 0o600
    with pytest.raises(CommandError, match="exists already"):
        manage("recover", str(copy), str(second))
    with pytest.raises(CommandError, match="not a recovery copy"):
        manage("recover", str(first / "web.json"), str(tmp_path / "third"))


def test_an_existing_copy_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(CommandError, match="copy exists already"):
        manage("new", str(tmp_path / "keys"), "--recovery", str(tmp_path / "copy"))
    assert not (tmp_path / "keys").exists()


def test_a_passphrase_locks_the_file_and_its_copy(tmp_path: Path, settings: Any) -> None:
    settings.WORKER_KEYS_PASSPHRASE = PASSPHRASE
    directory, copy = tmp_path / "keys", tmp_path / "copy"
    manage("new", str(directory), "--passphrase", "--recovery", str(copy))
    text = (directory / "worker.json").read_text()
    opened = keys.parse_document(key_documents.unlock(text, PASSPHRASE))
    for document in (text, copy.read_text()):
        assert opened["storage"]["1"] not in document
        assert opened["opening"]["1"] not in document


def start(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a process with these keys, which prints what it could load."""
    program = (
        "from django.conf import settings;"
        "print(settings.WORKER_KEYS is not None, settings.KEYS_ARE_TEMPORARY)"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "newsletter.settings",
            "VAR_DIR": str(directory / "var"),
            "WEB_KEYS_FILE": str(directory / "web.json"),
            "WORKER_KEYS_FILE": str(directory / "worker.json"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_process_needs_the_passphrase_of_a_locked_file(tmp_path: Path, settings: Any) -> None:
    settings.WORKER_KEYS_PASSPHRASE = PASSPHRASE
    manage("new", str(tmp_path), "--passphrase", "--no-recovery")
    assert start(tmp_path, WORKER_KEYS_PASSPHRASE=PASSPHRASE).stdout.split() == ["True", "False"]
    locked = start(tmp_path)
    assert "set WORKER_KEYS_PASSPHRASE" in locked.stderr
    wrong = start(tmp_path, WORKER_KEYS_PASSPHRASE="another one, as long")
    assert "WORKER_KEYS: the passphrase is wrong" in wrong.stderr
    assert "another one" not in wrong.stderr


# --- Rotation ---------------------------------------------------------------------------------
@pytest.fixture
def in_use(tmp_path: Path, settings: Any) -> Path:
    """Return the folder of the key files that this process uses, like a worker."""
    directory = tmp_path / "keys"
    manage("new", str(directory), "--no-recovery")
    use(directory, settings)
    return directory


def use(directory: Path, settings: Any) -> None:
    settings.WEB_KEYS_PATH = directory / "web.json"
    settings.WORKER_KEYS_PATH = directory / "worker.json"
    settings.WEB_KEYS = keys.load_web_keys(settings.WEB_KEYS_PATH)
    settings.WORKER_KEYS = keys.load_worker_keys(
        settings.WORKER_KEYS_PATH,
        unlock=lambda text: key_documents.unlock(text, settings.WORKER_KEYS_PASSPHRASE),
    )


def add(weekly: Newsletter, address: str) -> Subscription:
    return lifecycle.add_confirmed(
        address,
        newsletter=weekly,
        languages=("en",),
        page_language="en",
        source=Subscription.Source.OPERATOR,
    )


def test_a_running_process_follows_a_rotation(
    weekly: Newsletter, in_use: Path, tmp_path: Path
) -> None:
    """This process has read its keys already, and continues with those that the command wrote."""
    reader = add(weekly, "ala@readers.example").subscriber
    os.chmod(in_use / "web.json", 0o640)
    copy = tmp_path / "copy"
    output = manage("rotate", "--wait", "--recovery", str(copy))
    assert "storage 2, index 2, sealing 2, tokens 2" in output
    assert "All readers are encrypted with the new keys" in output
    reader.refresh_from_db()
    assert (reader.storage_key, reader.address_hash_key) == (2, 2)
    assert audience.address_of(reader) == "ala@readers.example"
    assert seal_intake({}).key_number == 2
    assert (mode(in_use / "web.json"), mode(in_use / "worker.json")) == (0o640, 0o600)
    assert json.loads(json.loads(copy.read_text())["worker"]) == json.loads(
        (in_use / "worker.json").read_text()
    )
    assert KeyCheck.objects.count() == 8
    assert key_check.check() == []


def test_without_wait_the_workers_re_encrypt(weekly: Newsletter, in_use: Path) -> None:
    add(weekly, "ala@readers.example")
    assert "The workers re-encrypt 1 readers" in manage(
        "rotate", "--only", "storage", "--no-recovery"
    )
    reader = Subscriber.objects.get()
    assert (reader.storage_key, reader.address_hash_key) == (1, 1)


def test_on_several_hosts_new_keys_are_added_before_they_are_used(
    weekly: Newsletter, in_use: Path
) -> None:
    assert "manage.py keys use" in manage("rotate", "--add-only", "--no-recovery")
    assert (
        seal_intake({}).key_number == address_hash(normalise("a@readers.example")).key_number == 1
    )
    manage("use", "--no-recovery")
    assert (
        seal_intake({}).key_number == address_hash(normalise("a@readers.example")).key_number == 2
    )


def test_a_locked_document_stays_locked(weekly: Newsletter, tmp_path: Path, settings: Any) -> None:
    settings.WORKER_KEYS_PASSPHRASE = PASSPHRASE
    directory = tmp_path / "keys"
    manage("new", str(directory), "--passphrase", "--no-recovery")
    use(directory, settings)
    manage("rotate", "--no-recovery")
    text = (directory / "worker.json").read_text()
    assert key_documents.is_locked(text)
    assert "2" in keys.parse_document(key_documents.unlock(text, PASSPHRASE))["storage"]


def test_an_intake_row_waits_for_a_key_that_has_not_arrived(
    weekly: Newsletter, in_use: Path, settings: Any
) -> None:
    before = settings.WORKER_KEYS_PATH.read_text()
    manage("rotate", "--only", "sealing", "--no-recovery")
    new = keys.load_worker_keys(settings.WORKER_KEYS_PATH, unlock=lambda text: text)
    address = normalise("ala@readers.example")
    intake.receive_sign_up(address, newsletter=weekly, languages=("en",), page_language="en")
    settings.WORKER_KEYS = keys.parse_worker_keys(before)
    for _ in range(7):
        Intake.objects.update(due_at="2020-01-01T00:00:00+00:00")
        assert intake.drain(10) == 0
    settings.WORKER_KEYS = new
    Intake.objects.update(due_at="2020-01-01T00:00:00+00:00")
    assert intake.drain(10) == 1
    assert Subscription.objects.count() == 1


def test_a_key_can_be_retired_once_nothing_needs_it(weekly: Newsletter, in_use: Path) -> None:
    add(weekly, "ala@readers.example")
    retire = ("retire", "storage", "1", "--no-recovery")
    with pytest.raises(CommandError, match="number 1 is in use"):
        manage(*retire)
    manage("rotate", "--no-recovery")
    with pytest.raises(CommandError, match="1 rows still need this key"):
        manage(*retire)
    manage("use", "--wait", "--no-recovery")
    assert "Retired storage 1" in manage(*retire)
    assert set(json.loads((in_use / "worker.json").read_text())["storage"]) == {"2"}
    assert key_check.check() == []
    assert audience.address_of(Subscriber.objects.get()) == "ala@readers.example"


def test_retiring_a_token_key_needs_an_extra_option(db: None, in_use: Path) -> None:
    manage("rotate", "--only", "tokens", "--no-recovery")
    with pytest.raises(CommandError, match="including unsubscribe links"):
        manage("retire", "tokens", "1", "--no-recovery")
    manage("retire", "tokens", "1", "--no-recovery", "--break-old-links")
    assert set(json.loads((in_use / "web.json").read_text())["tokens"]) == {"2"}


def test_keys_of_another_database_are_not_rotated(
    weekly: Newsletter, in_use: Path, tmp_path: Path, settings: Any
) -> None:
    assert key_check.check() == []
    manage("new", str(tmp_path / "other"), "--no-recovery")
    use(tmp_path / "other", settings)
    before = (tmp_path / "other" / "worker.json").read_text()
    with pytest.raises(CommandError, match="don't belong to this database"):
        manage("rotate", "--no-recovery")
    assert (tmp_path / "other" / "worker.json").read_text() == before


def test_keys_are_not_rotated_while_the_database_is_down(
    db: None, in_use: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down() -> dict[tuple[str, int], bytes]:
        raise OperationalError

    monkeypatch.setattr(key_check, "stored_marks", down)
    before = (in_use / "worker.json").read_text()
    with pytest.raises(CommandError, match="The database can't be reached"):
        manage("rotate", "--no-recovery")
    assert (in_use / "worker.json").read_text() == before


def test_keys_in_the_environment_cannot_be_rotated(db: None, settings: Any) -> None:
    settings.WEB_KEYS_PATH = settings.WORKER_KEYS_PATH = None
    with pytest.raises(CommandError, match="set WEB_KEYS_FILE and WORKER_KEYS_FILE"):
        manage("rotate", "--no-recovery")
