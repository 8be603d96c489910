"""IANA time zones."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LOCALTIME = Path("/etc/localtime")


def system_time_zone() -> str:
    """Return the IANA zone that /etc/localtime links to, else UTC. (Django overwrites TZ.)"""
    # It is a link to …/zoneinfo/Europe/Minsk on both Linux and macOS.
    _, _, linked = str(LOCALTIME.resolve()).partition("/zoneinfo/")
    return linked if linked in available_timezones() else "UTC"


def validate_zone(name: str) -> None:
    """Raise ValidationError unless `name` is an IANA zone such as Europe/Minsk."""
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name})
