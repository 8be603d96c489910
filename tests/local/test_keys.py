"""`manage.py keys new`: two files, for two kinds of process, never overwritten."""

from __future__ import annotations

import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from newsletter.lib import keys


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_two_documents_can_be_read_as_keys(tmp_path: Path) -> None:
    call_command("keys", "new", "--no-recovery", str(tmp_path / "keys"), stdout=StringIO())
    web = keys.web_keys((tmp_path / "keys" / "web.json").read_text())
    worker = keys.worker_keys((tmp_path / "keys" / "worker.json").read_text())
    assert web.sealing.keys() == worker.opening.keys() == {1}


def test_the_web_document_holds_nothing_that_opens(tmp_path: Path) -> None:
    call_command("keys", "new", "--no-recovery", str(tmp_path), stdout=StringIO())
    assert set(json.loads((tmp_path / "web.json").read_text())) == {
        "secret_key",
        "tokens",
        "sealing",
    }


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    call_command("keys", "new", "--no-recovery", str(directory), stdout=StringIO())
    assert mode(directory) == 0o700
    assert mode(directory / "web.json") == mode(directory / "worker.json") == 0o600


@pytest.mark.parametrize("name", ["web.json", "worker.json"])
def test_keys_that_exist_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(CommandError, match=f"{name} is there already"):
        call_command("keys", "new", "--no-recovery", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


def test_it_says_what_each_is_for_and_shows_neither(tmp_path: Path) -> None:
    out = StringIO()
    call_command("keys", "new", "--no-recovery", str(tmp_path), stdout=out)
    web = json.loads((tmp_path / "web.json").read_text())
    assert "WEB_KEYS_FILE" in out.getvalue()
    assert "WORKER_KEYS_FILE" in out.getvalue()
    assert web["secret_key"] not in out.getvalue()
