"""A database from before the fresh migrations: every command says so, and changes nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from newsletter import checks, old_database

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def old_var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with keys and a SQLite database whose history this version doesn't know."""
    var = tmp_path_factory.mktemp("old-var")
    assert manage(var, "keys", "new", "--no-recovery").returncode == 0
    with closing(sqlite3.connect(var / "tydzen.sqlite3")) as database, database:
        database.execute(
            "CREATE TABLE django_migrations (id integer PRIMARY KEY AUTOINCREMENT, app text, "
            "name text, applied datetime)"
        )
        database.executemany(
            "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, '2026-01-01')",
            [("subscribers", "0001_initial"), ("subscribers", "0002_exports")],
        )
        database.execute("CREATE TABLE subscribers_letter (id integer PRIMARY KEY)")
        # The marks of keys had no such columns: nothing may look for them.
        database.execute("CREATE TABLE subscribers_keycanary (id integer PRIMARY KEY)")
    return var


def content(var: Path) -> list[str]:
    with closing(sqlite3.connect(var / "tydzen.sqlite3")) as database:
        return list(database.iterdump())


def manage(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(var)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["migrate", "prepare", "up", "begin"])
def test_a_command_says_what_happened_and_what_to_do(old_var: Path, command: str) -> None:
    before = content(old_var)
    done = manage(old_var, command)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if "newsletter." in line]
    assert "newsletter.E007" in line
    assert "(migration subscribers.0002_exports and 1 more)" in line
    assert f"Start afresh: move {old_var} away, or drop the database" in line
    assert "Traceback" not in done.stderr
    assert content(old_var) == before


@pytest.mark.django_db
class TestTraces:
    def test_a_database_of_this_version_has_none(self) -> None:
        assert old_database.traces() == []

    def test_a_migration_of_ours_that_is_not_on_disk_is_one(self) -> None:
        MigrationRecorder(connection).record_applied("delivery", "0003_mailing_audience")
        MigrationRecorder(connection).record_applied("other_app", "0009_unknown_here")
        assert old_database.traces() == ["migration delivery.0003_mailing_audience"]
        ids = [message.id for message in run_checks(tags=[checks.TAG])]
        assert "newsletter.E007" in ids

    def test_so_is_a_table_of_an_old_name(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE subscribers_inbox (id integer PRIMARY KEY)")
        assert old_database.traces() == ["table subscribers_inbox"]
