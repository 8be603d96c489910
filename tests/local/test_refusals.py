"""Web server and worker don't start with a configuration that would lose addresses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = {
    "web": ("gunicorn", "--bind", "127.0.0.1:0", "newsletter.wsgi"),
    "worker": ("manage", "worker"),
    "celery": ("celery", "-A", "newsletter", "--quiet", "worker", "--pool=solo"),
}


@pytest.mark.server
@pytest.mark.parametrize("name", COMMANDS)
def test_without_keys_it_stops_and_says_what_to_do(name: str, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "BROKER_URL": "redis://x"}
    done = subprocess.run(
        [sys.executable, "-m", *COMMANDS[name]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "newsletter.E001" in done.stderr
    assert "manage.py keys new" in done.stderr
