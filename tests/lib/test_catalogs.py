"""Translations are compiled when their sources change."""

from __future__ import annotations

import gettext
import os
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from newsletter.lib.catalogs import compile_catalogs

SOURCE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Language: be\\n"

msgid "river"
msgstr "{word}"
"""


def write(base: Path, word: str, *, at: int) -> Path:
    source = base / "be" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(SOURCE.format(word=word), encoding="utf-8")
    os.utime(source, (at, at))
    return source


def read(base: Path) -> str:
    return gettext.translation("django", base, ["be"]).gettext("river")


def test_only_changed_catalogs_are_compiled(tmp_path: Path) -> None:
    write(tmp_path, "рака", at=1_000_000)
    assert compile_catalogs(tmp_path) == 1
    assert read(tmp_path) == "рака"
    assert compile_catalogs(tmp_path) == 0

    write(tmp_path, "рэчка", at=4_000_000_000)
    assert compile_catalogs(tmp_path) == 1
    assert [path.name for path in tmp_path.rglob("*.tmp")] == []


def test_the_command_compiles_the_projects_catalogs(tmp_path: Path, settings: Any) -> None:
    write(tmp_path, "рака", at=1_000_000)
    settings.LOCALE_PATHS = [tmp_path]
    out = StringIO()
    call_command("compile_catalogs", stdout=out)
    assert out.getvalue() == "Catalogs compiled: 1\n"
    assert read(tmp_path) == "рака"
