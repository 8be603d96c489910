"""Short runs of `make chaos` and `make storm`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.servers import ROOT

pytestmark = [pytest.mark.server, pytest.mark.chaos]
HAS_POSTGRESQL = shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql" and not HAS_POSTGRESQL:
        pytest.skip("no PostgreSQL on this machine (Debian: apt install postgresql)")
    return str(request.param)


@pytest.mark.parametrize(
    "program",
    [
        ["tests.chaos", "--kills=3"],
        ["tests.chaos", "--kills=3", "--provider"],
        [
            "tests.chaos.storm",
            "--readers=600",
            "--defer=0.1",
            "--down=5",
            "--retry=1",
            "--pace=0.05",
        ],
    ],
    ids=["chaos", "chaos with a provider", "storm"],
)
def test_nobody_is_lost_and_nobody_is_sent_to_twice(database: str, program: list[str]) -> None:
    completed = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *program, f"--database={database}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    print(completed.stdout)
    assert completed.returncode == 0, completed.stdout + completed.stderr[-4000:]
