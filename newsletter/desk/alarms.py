"""The alerts that are open, as pages of the desk show them."""

from __future__ import annotations

from datetime import datetime

from newsletter.delivery.models import Alert
from newsletter.delivery.oversight import alerts
from newsletter.delivery.oversight.alert_texts import AlertText, describe


def current_alerts(*kinds: Alert.Kind) -> list[tuple[AlertText, datetime]]:
    """Return the alerts of these kinds (all, if none is named) and since when they are open.

    The urgent ones come first.
    """
    rows = alerts.open_alerts()
    rows = rows.filter(kind__in=kinds) if kinds else rows
    found = [(describe(alert), alert.raised_at) for alert in rows]
    return sorted(found, key=lambda alert: not alert[0].is_urgent)
