"""IANA time zones."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LOCALTIME = Path("/etc/localtime")


def system_time_zone() -> str:
    """The IANA zone that /etc/localtime names, else UTC. (Django sets TZ to its own.)"""
    # A link to …/zoneinfo/Europe/Minsk, on Linux and macOS alike.
    _, _, linked = str(LOCALTIME.resolve()).partition("/zoneinfo/")
    return linked if linked in available_timezones() else "UTC"


def validate_zone(name: str) -> None:
    """Raises ValidationError unless `name` is an IANA zone such as Europe/Minsk."""
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name})
