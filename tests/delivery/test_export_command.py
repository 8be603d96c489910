"""`manage.py export_readers` writes an age file, if the process has the worker's keys."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pyrage.x25519 import Identity

from newsletter.delivery.oversight import kill_switch
from newsletter.editorial.models import Newsletter
from newsletter.lib import environment
from subscribers.models import Export, Subscriber
from tests.delivery.conftest import AddReader

ROOT = Path(__file__).resolve().parent.parent.parent
ALA, BOB = Identity.generate(), Identity.generate()
KEYS = [str(ALA.to_public()), str(BOB.to_public())]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _one_recipient(settings: Any) -> None:
    settings.EXPORT_RECIPIENTS = KEYS[:1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "readers.age"


def run(*words: str, stdout: StringIO | None = None) -> str:
    """Run the command and return what it writes to standard error."""
    stderr = StringIO()
    call_command("export_readers", "weekly", *words, stdout=stdout or StringIO(), stderr=stderr)
    return stderr.getvalue()


def addresses(data: bytes) -> list[str]:
    text = io.StringIO(data.decode(), newline="")
    return [row["address"] for row in csv.DictReader(text)]


def test_only_the_recipient_can_read_the_file(add_reader: AddReader, file: Path) -> None:
    add_reader("Ala@readers.example", "be", "ru")
    stderr = run("--to", str(file))
    assert f"1 reader, encrypted for {KEYS[0]}." in stderr
    assert f"age --decrypt -i key.txt {file} > readers.csv" in stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_bytes().startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert b"readers.example" not in file.read_bytes()
    assert addresses(pyrage.decrypt(file.read_bytes(), [ALA])) == ["Ala@readers.example"]


def test_two_recipients_open_it_together_in_the_given_order(
    add_reader: AddReader, file: Path, settings: Any
) -> None:
    settings.EXPORT_RECIPIENTS = KEYS
    add_reader("ala@readers.example")
    stderr = run("--to", str(file))
    assert f"the holder of {KEYS[1]} first runs" in stderr
    assert f"Then the holder of {KEYS[0]} runs" in stderr
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(file.read_bytes(), [ALA])
    inner = pyrage.decrypt(file.read_bytes(), [BOB])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(inner, [BOB])
    assert addresses(pyrage.decrypt(inner, [ALA])) == ["ala@readers.example"]


def test_b8_it_exports_evidence_of_consent_without_addresses(
    add_reader: AddReader, file: Path
) -> None:
    reader = add_reader("ala@readers.example", "be").subscriber
    assert "> consents.jsonl" in run("--consents", "--to", str(file))
    [line] = pyrage.decrypt(file.read_bytes(), [ALA]).decode().splitlines()
    assert json.loads(line)["reader"] == str(reader.public_id)
    assert "readers.example" not in line


def test_an_existing_file_is_not_overwritten(weekly: Newsletter, file: Path) -> None:
    file.write_text("precious")
    with pytest.raises(CommandError, match="File exists"):
        run("--to", str(file))
    assert file.read_text() == "precious"
    assert not Export.objects.exists()


def test_an_incomplete_file_is_removed(add_reader: AddReader, file: Path) -> None:
    spoilt = add_reader("ala@readers.example").subscriber
    Subscriber.objects.filter(pk=spoilt.pk).update(sealed_address=b"x" * 40)
    with pytest.raises(CommandError, match="The list can't be opened here"):
        run("--to", str(file))
    assert not file.exists()
    assert Export.objects.get().readers is None


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("count", [1, 2], ids=["one recipient", "two recipients"])
def test_a_full_disk_is_reported(
    add_reader: AddReader, monkeypatch: pytest.MonkeyPatch, settings: Any, count: int
) -> None:
    settings.EXPORT_RECIPIENTS = KEYS[:count]
    add_reader("ala@readers.example")
    with (
        io.TextIOWrapper(open("/dev/full", "wb", buffering=0)) as full,
        monkeypatch.context() as patched,
    ):
        patched.setattr("sys.stdout", full)
        with pytest.raises(CommandError, match=r"^-: No space left on device$"):
            run("--to", "-")
    assert Export.objects.get().readers is None


def test_it_is_refused_while_the_kill_switch_is_on(weekly: Newsletter, file: Path) -> None:
    kill_switch.engage()
    for what in ([], ["--consents"]):
        with pytest.raises(CommandError, match="The kill switch is on"):
            run(*what, "--to", str(file))
    assert not file.exists()


def test_it_needs_the_workers_keys(weekly: Newsletter, file: Path, settings: Any) -> None:
    settings.WORKER_KEYS = None
    with pytest.raises(CommandError, match="holds no worker keys"):
        run("--to", str(file))
    assert not file.exists()
    assert not Export.objects.exists()


def test_without_a_recipient_it_says_how_to_create_a_key(
    weekly: Newsletter, file: Path, settings: Any
) -> None:
    settings.EXPORT_RECIPIENTS = []
    with pytest.raises(CommandError, match=r"Set EXPORT_RECIPIENTS.*age-keygen"):
        run("--to", str(file))
    assert not file.exists()


@pytest.mark.parametrize("what", ["to a file", "to a pipe"])
def test_unencrypted_it_only_goes_to_a_terminal(
    add_reader: AddReader, file: Path, what: str
) -> None:
    add_reader("ala@readers.example")
    with pytest.raises(CommandError, match="only writes to a terminal"):
        run("--plain", "--to", str(file) if what == "to a file" else "-")
    assert not file.exists()
    screen = Terminal()
    run("--plain", "--to", "-", stdout=screen)
    assert "ala@readers.example" in screen.getvalue()
    record = Export.objects.get()
    assert (record.readers, record.recipients) == (1, "")


def test_a_list_for_two_people_is_not_shown_to_one(add_reader: AddReader, settings: Any) -> None:
    settings.EXPORT_RECIPIENTS = KEYS
    add_reader("ala@readers.example")
    screen = Terminal()
    with pytest.raises(CommandError, match="open a list together"):
        run("--plain", "--to", "-", stdout=screen)
    assert not screen.getvalue()
    run("--plain", "--consents", "--to", "-", stdout=screen)
    assert '"action": "recorded"' in screen.getvalue()


@pytest.mark.parametrize("purpose", ["x" * 201, "two\nlines", "for a@b.example", "\x1b[1m"])
def test_the_purpose_is_one_line_without_an_address(
    weekly: Newsletter, file: Path, purpose: str
) -> None:
    with pytest.raises(CommandError, match="purpose"):
        run("--purpose", purpose, "--to", str(file))
    assert not Export.objects.exists()


def test_the_desk_shows_the_record_and_cannot_change_it(
    admin_client: Client, weekly: Newsletter, file: Path
) -> None:
    run("--to", str(file), "--purpose", "moving to another provider")
    page = "/admin/subscribers/export/"
    shown = admin_client.get(page).content.decode()
    assert "moving to another provider" in shown
    assert KEYS[0] in shown
    change = f"{page}{Export.objects.get().pk}/change/"
    assert KEYS[0] in admin_client.get(change).content.decode()
    assert admin_client.post(change, {"purpose": "another"}).status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("age1nonsense", "key 1 is not an age public key"),
        (",".join([*KEYS, str(Identity.generate().to_public())]), "3 keys are given"),
        (f"{KEYS[0]},{KEYS[0]}", "the same key is given twice"),
        (str(ALA), "key 1 is a private key"),
    ],
    ids=["no key", "three keys", "same key twice", "private key"],
)
def test_an_invalid_setting_stops_startup(tmp_path: Path, value: str, why: str) -> None:
    variables = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "VAR_DIR": str(tmp_path),
        "EXPORT_RECIPIENTS": value,
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"EXPORT_RECIPIENTS: {why}")
    assert str(ALA) not in done.stdout + done.stderr


@pytest.mark.slow
def test_the_commands_in_the_documentation_make_a_key_and_open_an_export(
    add_reader: AddReader, file: Path, settings: Any
) -> None:
    """Without age: the two Python lines of docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    make, open_it = (line.strip() for line in text.splitlines() if "python3 -c" in line)

    def shell(line: str) -> None:
        line = line.replace("python3", sys.executable, 1)
        subprocess.run(["sh", "-c", line], cwd=file.parent, check=True)

    shell(make)
    first, secret = (file.parent / "key.txt").read_text().splitlines()
    settings.EXPORT_RECIPIENTS = environment.parse_age_recipients(
        first.removeprefix("# public key: ")
    )
    assert secret.startswith("AGE-SECRET-KEY-1")
    add_reader("ala@readers.example")
    run("--to", str(file))
    shell(open_it)
    assert addresses((file.parent / "readers.csv").read_bytes()) == ["ala@readers.example"]
