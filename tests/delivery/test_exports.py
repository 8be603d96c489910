"""Exports: sealed for one recipient, only where the worker's keys are, never while frozen."""

from __future__ import annotations

import io
import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from nacl.public import PrivateKey

from newsletter.delivery import panic
from newsletter.editorial.models import Newsletter
from subscribers import exporting, lifecycle
from subscribers.models import Subscription
from tests.delivery.conftest import AddReader

PRIVATE = PrivateKey.generate()


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _recipient(settings: Any) -> None:
    settings.EXPORT_RECIPIENT = bytes(PRIVATE.public_key)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(bytes(PRIVATE).hex() + "\n")
    return tmp_path / "key"


def export(*words: str, stdout: StringIO | None = None) -> str:
    told = StringIO()
    call_command("export_readers", "weekly", *words, stdout=stdout or StringIO(), stderr=told)
    return told.getvalue()


def opened(file: Path, key: Path) -> str:
    out = StringIO()
    call_command("open_export", str(file), "--key", str(key), stdout=out)
    return out.getvalue()


def test_the_recipient_opens_what_nobody_else_can(
    add_reader: AddReader, tmp_path: Path, key_file: Path
) -> None:
    add_reader("Ala@readers.example", "be", "ru", topics={7, 3})
    left = add_reader("left@readers.example")
    lifecycle.unsubscribe(left.pk)
    file = tmp_path / "export"
    assert "2 lines, sealed" in export("--to", str(file))
    assert b"readers" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    head, line = opened(file, key_file).splitlines()
    assert head == ",".join(exporting.COLUMNS)
    assert line.startswith('Ala@readers.example,"be,ru",be,"3,7",weekly,')
    (tmp_path / "other").write_text(bytes(PrivateKey.generate()).hex())
    with pytest.raises(CommandError, match="Sealed for another key"):
        opened(file, tmp_path / "other")


def test_it_is_refused_while_the_site_is_frozen(weekly: Newsletter, tmp_path: Path) -> None:
    panic.freeze()
    with pytest.raises(CommandError, match="frozen"):
        export("--to", str(tmp_path / "export"))
    assert not (tmp_path / "export").exists()


def test_it_is_refused_where_the_keys_are_not(
    weekly: Newsletter, tmp_path: Path, settings: Any
) -> None:
    settings.WORKER_KEYS = None
    with pytest.raises(CommandError, match="holds no worker keys"):
        export("--to", str(tmp_path / "export"))


@pytest.mark.parametrize("what", ["to a file", "to a pipe"])
def test_in_clear_it_goes_to_a_terminal_only(
    add_reader: AddReader, tmp_path: Path, what: str
) -> None:
    add_reader("ala@readers.example")
    with pytest.raises(CommandError, match="terminal only"):
        export("--plain", "--to", str(tmp_path / "export") if what == "to a file" else "-")
    assert not (tmp_path / "export").exists()
    screen = Terminal()
    export("--plain", "--to", "-", stdout=screen)
    assert "ala@readers.example" in screen.getvalue()


def test_without_a_recipient_it_says_how_to_have_one(
    weekly: Newsletter, settings: Any, tmp_path: Path
) -> None:
    settings.EXPORT_RECIPIENT = b""
    with pytest.raises(CommandError, match="keys recipient"):
        export("--to", str(tmp_path / "export"))


def test_an_existing_file_stays(weekly: Newsletter, tmp_path: Path) -> None:
    (tmp_path / "export").write_text("precious")
    with pytest.raises(CommandError, match="File exists"):
        export("--to", str(tmp_path / "export"))
    assert (tmp_path / "export").read_text() == "precious"


def test_b8_evidence_of_consent_without_addresses(
    add_reader: AddReader, tmp_path: Path, key_file: Path
) -> None:
    subscription: Subscription = add_reader("ala@readers.example", "be")
    file = tmp_path / "evidence"
    export("--consents", "--to", str(file))
    [line] = [json.loads(line) for line in opened(file, key_file).splitlines()]
    consent = subscription.consents.get()
    assert line["reader"] == str(subscription.subscriber.public_id)
    assert (line["action"], line["wording"]) == ("recorded", consent.wording)
    assert line["wording"]
    assert line["version"]
    assert "readers.example" not in json.dumps(line)


def lines(count: int) -> list[str]:
    return [f"line {number}\n" for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 11])
def test_portions_come_back_as_they_were(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PORTION", 5)
    file = io.BytesIO()
    assert exporting.seal_lines(lines(count), bytes(PRIVATE.public_key), file) == count
    file.seek(0)
    assert "".join(exporting.open_lines(file, bytes(PRIVATE))) == "".join(lines(count))


@pytest.mark.parametrize("flaw", ["cut off", "a portion is missing", "not an export"])
def test_a_damaged_file_is_told(flaw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PORTION", 5)
    file = io.BytesIO()
    exporting.seal_lines(lines(12), bytes(PRIVATE.public_key), file)
    data = file.getvalue()
    size = 4 + int.from_bytes(data[len(exporting.MAGIC) :][:4], "big")
    start = len(exporting.MAGIC)
    damaged = {
        "cut off": data[: start + size],
        "a portion is missing": data[:start] + data[start + size :],
        "not an export": b"PK" + data,
    }[flaw]
    with pytest.raises(exporting.ExportFault, match=f"(?i){flaw}"):
        list(exporting.open_lines(io.BytesIO(damaged), bytes(PRIVATE)))
