"""The format of log lines, the same in every process.

Log the name of an action as the message, and the facts as `extra`:

    log.info("finish", extra={"batch": batch.pk, "recorded": 50})

The line is `2026-11-16 07:00:00,000 INFO newsletter.delivery.sending.protocol action=finish
batch=7 recorded=50`. IDs and counts only, never an address (G8).
"""

from __future__ import annotations

import json
import logging
import re
from typing import Any

OWN_LOGGERS = ("newsletter.", "subscribers.")
# Attributes that every record has; Python 3.12 added taskName.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}
_PLAIN = re.compile(r"[^\s\"=]+")
QUIETED_LOGGERS = (
    # At debug level these write requests and replies, addresses included (G8).
    "anymail",
    "urllib3",
    "requests",
    "boto3",
    "botocore",
    "mail.log",
    "allauth",
    "fontTools",
    "PIL",
    # Two lines for each tick, and a tick comes every five seconds.
    "celery.worker.strategy",
    "celery.app.trace",
    "celery.beat",
)


class KeyValueFormatter(logging.Formatter):
    """Formats our records as `key=value`, and leaves those of other libraries as they are."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        if not record.name.startswith(OWN_LOGGERS):
            return super().formatMessage(record)
        facts = {name: fact for name, fact in vars(record).items() if name not in _STANDARD}
        pairs = {"action": record.message, **facts}
        text = " ".join(f"{name}={_quoted(fact)}" for name, fact in pairs.items())
        return f"{record.asctime} {record.levelname} {record.name} {text}"


def _quoted(fact: Any) -> str:
    """Return the value, quoted if it contains spaces, quotes or line breaks."""
    text = str(fact)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def configuration() -> dict[str, Any]:
    """Return the `dictConfig` of every process: web, worker, beat, commands."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "newsletter.lib.logs.KeyValueFormatter"}},
        "filters": {
            "outages": {"()": "newsletter.lib.outages.OutageFilter"},
            "visitors": {"()": "newsletter.lib.private_paths.PrivacyFilter"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["outages", "visitors"],
            }
        },
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            **{name: {"level": "WARNING"} for name in QUIETED_LOGGERS},
            # It logs tracebacks, which may quote the bounce that it read.
            "flufl.bounce": {"level": "CRITICAL"},
            # Gunicorn adds its own handlers to these before it applies this configuration.
            "gunicorn.error": {"level": "WARNING", "propagate": True},
            "gunicorn.access": {"level": "WARNING", "propagate": True},
        },
    }
