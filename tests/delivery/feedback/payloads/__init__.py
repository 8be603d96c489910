"""What each provider posts, after the examples in its documentation and Anymail's tests.

`body(provider, kind, *who)` returns a POST's body with one event for each reader. Kinds: delivered,
hard (the address doesn't exist), soft (a full mailbox), complaint, unsubscribe; `CANNOT` names what
a provider doesn't report.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tests.delivery.feedback.payloads import several, single
from tests.delivery.feedback.payloads.who import NOW, SAID, Who

__all__ = ["CANNOT", "KINDS", "NOW", "ONE_PER_POST", "SAID", "Who", "body"]

CANNOT = {
    ("amazon_ses", "unsubscribe"),
    ("mandrill", "delivered"),
    ("postal", "complaint"),
    ("postal", "unsubscribe"),
    ("resend", "unsubscribe"),
}
ONE_PER_POST = {"brevo", "mailersend", "mailgun", "postal", "postmark", "resend"}
KINDS = ("delivered", "hard", "soft", "complaint", "unsubscribe")


def body(provider: str, kind: str, *who: Who) -> bytes:
    """Return the body of a POST."""
    if provider == "amazon_ses":
        return _json(several.amazon_ses(kind, *who))
    module = single if provider in ONE_PER_POST else several
    events = [getattr(module, provider)(kind, each) for each in who]
    match provider:
        case "mandrill":
            return urlencode({"mandrill_events": json.dumps(events)}).encode()
        case "mailtrap":
            return _json({"events": events})
        case "unisender_go":
            named = [
                {"event_name": "transactional_email_status", "event_data": event}
                for event in events
            ]
            return _json({"auth": "0" * 32, "events_by_user": [{"user_id": 1, "events": named}]})
    return _json(events[0] if provider in ONE_PER_POST else events)


def _json(data: Any) -> bytes:
    return json.dumps(data).encode()
