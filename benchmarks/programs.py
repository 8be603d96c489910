"""Compile the C programs, and run the sink in a context."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FLAGS = ["-O2", "-Wall", "-Wextra"]
SMTP_SOURCE = shutil.which("smtp-source", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass(frozen=True)
class Programs:
    """Paths of the compiled programs. `tls` says whether the sink supports TLS."""

    sink: Path
    blast: Path
    tls: bool


def compile_all(target: Path) -> Programs:
    """Compile with gcc (or CC); the sink has no TLS if OpenSSL's headers are missing."""
    compiler = os.environ.get("CC", "gcc")
    sink, blast = target / "sink", target / "blast"
    source = str(HERE / "sink.c")
    with_tls = [compiler, *FLAGS, "-DTLS", source, "-o", str(sink), "-lssl", "-lcrypto"]
    tls = subprocess.run(with_tls, capture_output=True, check=False).returncode == 0
    if not tls:
        subprocess.run([compiler, *FLAGS, source, "-o", str(sink)], check=True)
    subprocess.run([compiler, *FLAGS, str(HERE / "blast.c"), "-o", str(blast)], check=True)
    return Programs(sink, blast, tls)


@dataclass
class Sink:
    """A running sink. `counts` is its report once it has ended."""

    port: int
    certificate: Path | None = None
    counts: dict[str, Any] = field(default_factory=dict)

    def url(self, *, connections: int) -> str:
        """Return the transport URL of the sink."""
        if self.certificate:
            return f"smtps://127.0.0.1:{self.port}?connections={connections}&ca={self.certificate}"
        return f"smtp://127.0.0.1:{self.port}?connections={connections}&starttls=never"


@contextmanager
def running_sink(
    programs: Programs,
    *,
    delay_ms: float = 0,
    chunking: bool = False,
    certificate: Path | None = None,
) -> Iterator[Sink]:
    """Run a sink on a free port. `certificate` is a PEM file with its key beside it."""
    command = [str(programs.sink), "-d", str(delay_ms)]
    if not chunking:
        command.append("-n")
    if certificate:
        command += ["-c", str(certificate), "-k", str(certificate.with_suffix(".key"))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise RuntimeError("the sink has no output")
    try:
        sink = Sink(int(process.stdout.readline().split()[1]), certificate)
        yield sink
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=30)
    sink.counts = json.loads(output)
