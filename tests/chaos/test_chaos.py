"""`make chaos` in small: three kills. It runs as a program of its own, with servers of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.servers import ROOT

pytestmark = [pytest.mark.server, pytest.mark.chaos]
HAS_POSTGRESQL = shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nobody_is_lost_and_nobody_mailed_twice(database: str) -> None:
    if database == "postgresql" and not HAS_POSTGRESQL:
        pytest.skip("no PostgreSQL on this machine (Debian: apt install postgresql)")
    chaos = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--kills=3", f"--database={database}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    print(chaos.stdout)
    assert chaos.returncode == 0, chaos.stdout + chaos.stderr[-4000:]
