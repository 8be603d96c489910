"""What the web server is started with, unless the command line says otherwise."""

import os
from typing import Any

from newsletter.lib import logs

# No access log: addresses of pages hold readers' tokens, and a line would hold an IP address
# (G8). A proxy that keeps one is described in docs/deploy.md.
accesslog = None
errorlog = "-"
loglevel = "warning"
logconfig_dict = logs.configuration()
# Nobody uses gunicorn's control socket, and a user without a home directory has no place for it.
control_socket_disable = True
workers = 2
# While one waits for the database's disk, another works; and a proxy can keep its connections.
threads = 4
# Heartbeats, several for each request, go to memory and not to a disk that may be slow.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - no secret
graceful_timeout = 10
# X-Forwarded-Proto is believed from a proxy on this machine only.
forwarded_allow_ips = "127.0.0.1,::1"


def on_starting(_server: Any) -> None:
    """Refuse to start on a configuration that would lose or show readers' addresses."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    import django
    from environs import EnvError

    try:
        django.setup()
    except EnvError as error:
        raise SystemExit(str(error)) from None
    from newsletter.checks import require_configuration

    require_configuration()

    # The checks looked at the database; the workers that are forked may not share its connection.
    from django.db import connections

    connections.close_all()


def post_worker_init(_worker: Any) -> None:
    """Each thread keeps its connection for a minute: opening one costs more than a sign-up."""
    from django.db import connections

    connections.settings["default"]["CONN_MAX_AGE"] = 60
