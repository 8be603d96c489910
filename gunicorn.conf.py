"""Settings of the web server. The command line overrides them."""

import os
from typing import Any

from newsletter.lib import logs

# No access log: URLs contain readers' tokens, and each line would contain an IP address (G8).
# docs/deploy.md has a log format for the proxy that contains neither.
accesslog = None
errorlog = "-"
loglevel = "warning"
logconfig_dict = logs.configuration()
# We don't use the control socket, and a service user has no home directory to put it in.
control_socket_disable = True
workers = 2
# While one thread waits for the database, another works, and a proxy can keep its connections.
threads = 4
# Workers write heartbeats all the time: to memory, not to a disk that may be slow.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - holds no secrets
graceful_timeout = 10
# Trust X-Forwarded-Proto only from a proxy on this machine.
forwarded_allow_ips = "127.0.0.1,::1"


def on_starting(_server: Any) -> None:
    """Refuse to start with a configuration that would lose or reveal readers' addresses."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    import django
    from environs import EnvError

    try:
        django.setup()
    except EnvError as error:
        raise SystemExit(str(error)) from None
    from newsletter.checks import require_configuration

    require_configuration()

    # The checks opened a database connection, which forked workers must not share.
    from django.db import connections

    connections.close_all()


def post_worker_init(_worker: Any) -> None:
    """Keep each thread's connection for a minute: opening one costs more than a sign-up."""
    from django.db import connections

    connections.settings["default"]["CONN_MAX_AGE"] = 60
