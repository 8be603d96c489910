"""Confirm the SNS subscription through which Amazon SES reports, if we know its topic.

Amazon sends a URL that has to be opened once. A worker opens it, because the web process may have
no way out. Only topics in WEBHOOK_SES_TOPICS are confirmed, and only at Amazon's own host.
"""

from __future__ import annotations

import json
import logging
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)
_HOST = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")


def confirm_if_asked(body: bytes) -> bool:
    """Return whether the POST asks for a confirmation; if so, confirm after the commit.

    If that fails, the operator has SNS ask again: “Request confirmation” in its console.
    """
    if b"SubscriptionConfirmation" not in body:
        return False
    message = json.loads(body)
    if message.get("Type") != "SubscriptionConfirmation":
        return False
    topic, url = message.get("TopicArn"), str(message.get("SubscribeURL"))
    if topic not in settings.WEBHOOK_SES_TOPICS:
        log.error("sns-topic-not-configured", extra={"setting": "WEBHOOK_SES_TOPICS"})
    elif not is_amazon_url(url):
        log.error("sns-confirmation-refused", extra={"topic": topic})
    else:
        transaction.on_commit(lambda: _open(topic, url))
    return True


def is_amazon_url(url: str) -> bool:
    """Return whether the URL is https at SNS's own host."""
    parts = urlsplit(url)
    return parts.scheme == "https" and bool(_HOST.fullmatch(parts.netloc))


def _open(topic: str, url: str) -> None:
    # Every process loads this module, but few need this package, which takes 4 MB.
    import requests

    try:
        status = requests.get(url, timeout=10, allow_redirects=False).status_code
    except requests.RequestException as error:
        log.error("sns-confirmation-failed", extra={"topic": topic, "error": type(error).__name__})
    else:
        log.info("sns-confirmation", extra={"topic": topic, "status": status})
