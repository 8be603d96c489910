"""What each provider posts, after the examples in its documentation and Anymail's tests.

`body(provider, kind, *who)` returns a POST's body with one event for each reader. Kinds: delivered,
hard (the address doesn't exist), soft (a full mailbox), complaint, unsubscribe; `CANNOT` names what
a provider doesn't report.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

CANNOT = {
    ("amazon_ses", "unsubscribe"),
    ("mandrill", "delivered"),
    ("postal", "complaint"),
    ("postal", "unsubscribe"),
    ("resend", "unsubscribe"),
}
ONE_PER_POST = {"brevo", "mailersend", "mailgun", "postal", "postmark", "resend"}
KINDS = ("delivered", "hard", "soft", "complaint", "unsubscribe")
SAID = {
    "hard": "550 5.1.1 <{}> User unknown",
    "soft": "452 4.2.2 <{}> Mailbox full",
}


NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Who:
    """The recipient of an email. Without `delivery_id`, as if the provider kept no metadata."""

    address: str
    delivery_id: str = ""
    message_id: str = "provider-message-1"
    event_id: str = "event-1"
    at: datetime = NOW

    @property
    def metadata(self) -> dict[str, str]:
        return {"delivery_id": self.delivery_id} if self.delivery_id else {}

    @property
    def epoch(self) -> int:
        return int(self.at.timestamp())

    @property
    def iso(self) -> str:
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def said(self, kind: str) -> str:
        return SAID.get(kind, "").format(self.address)


def body(provider: str, kind: str, *who: Who) -> bytes:
    """Return the body of a POST."""
    make = _EVENTS[provider]
    if provider == "amazon_ses":
        return _json(_amazon_ses(kind, *who))
    events = [make(kind, each) for each in who]
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


def _amazon_ses(kind: str, *who: Who) -> dict[str, Any]:
    names = {"delivered": "Delivery", "complaint": "Complaint"}
    first = who[0]
    bounced = {"hard": ("Permanent", "General"), "soft": ("Transient", "MailboxFull")}
    bounce_type, subtype = bounced.get(kind, ("", ""))
    recipients = [
        {
            "emailAddress": each.address,
            "action": "failed",
            "status": {"hard": "5.1.1", "soft": "4.2.2"}.get(kind, ""),
            "diagnosticCode": f"smtp; {each.said(kind)}",
        }
        for each in who
    ]
    facts = {
        "Bounce": {
            "bounceType": bounce_type,
            "bounceSubType": subtype,
            "bouncedRecipients": recipients,
            "feedbackId": "feedback-1",
        },
        "Complaint": {
            "complainedRecipients": [{"emailAddress": each.address} for each in who],
            "complaintFeedbackType": "abuse",
        },
        "Delivery": {
            "recipients": [each.address for each in who],
            "smtpResponse": "250 2.0.0 OK",
        },
    }
    name = names.get(kind, "Bounce")
    event = {
        "eventType": name,
        "mail": {
            "messageId": first.message_id,
            "destination": [each.address for each in who],
            "headers": [{"name": "X-Metadata", "value": json.dumps(first.metadata)}],
        },
        name.lower(): facts[name],
    }
    return {
        "Type": "Notification",
        "MessageId": first.event_id,
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:feedback",
        "Message": json.dumps(event),
        "Timestamp": first.iso,
    }


def _brevo(kind: str, who: Who) -> dict[str, Any]:
    names = {"hard": "hard_bounce", "soft": "soft_bounce", "complaint": "spam"}
    return {
        "event": names.get(kind, kind),
        "email": who.address,
        "id": 1,
        "message-id": who.message_id,
        "ts_epoch": who.epoch * 1000,
        "reason": who.said(kind),
        "X-Mailin-custom": json.dumps(who.metadata),
    }


def _mailersend(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "hard": "hard_bounced",
        "soft": "soft_bounced",
        "complaint": "spam_complaint",
        "unsubscribe": "unsubscribed",
    }
    name = names.get(kind, kind)
    return {
        "type": f"activity.{name}",
        "data": {
            "object": "activity",
            "id": who.event_id,
            "type": name,
            "created_at": who.iso,
            "email": {
                "object": "email",
                "message": {"object": "message", "id": who.message_id},
                "recipient": {"object": "recipient", "email": who.address},
            },
            "morph": {"object": "recipient_bounce", "reason": who.said(kind)},
        },
    }


def _mailgun(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "hard": "failed",
        "soft": "failed",
        "complaint": "complained",
        "unsubscribe": "unsubscribed",
    }
    failed = {
        "severity": "permanent" if kind == "hard" else "temporary",
        "reason": "generic",
        "delivery-status": {
            "code": 550 if kind == "hard" else 452,
            "message": who.said(kind),
            "description": "",
            "attempt-no": 1,
        },
    }
    return {
        # The signature is added by tests.delivery.feedback.signing.
        "signature": {"token": who.event_id},
        "event-data": {
            "event": names.get(kind, kind),
            "id": who.event_id,
            "timestamp": float(who.epoch),
            "recipient": who.address,
            "message": {"headers": {"message-id": who.message_id, "to": who.address}},
            "user-variables": who.metadata,
            **(failed if kind in SAID else {}),
        },
    }


def _mailjet(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "delivered": "sent",
        "hard": "bounce",
        "soft": "bounce",
        "complaint": "spam",
        "unsubscribe": "unsub",
    }
    errors = {"hard": "user unknown", "soft": "quota exceeded"}
    bounced = {
        "hard_bounce": kind == "hard",
        "error_related_to": "recipient",
        "error": errors.get(kind),
        "comment": who.said(kind),
    }
    return {
        "event": names[kind],
        "time": who.epoch,
        "MessageID": who.message_id,
        "email": who.address,
        "Payload": json.dumps(who.metadata),
        **(bounced if kind in SAID else {}),
    }


def _mailtrap(kind: str, who: Who) -> dict[str, Any]:
    names = {"delivered": "delivery", "hard": "bounce", "soft": "soft bounce", "complaint": "spam"}
    return {
        "event": names.get(kind, kind),
        "event_id": who.event_id,
        "message_id": who.message_id,
        "sending_stream": "bulk",
        "email": who.address,
        "timestamp": who.epoch,
        "custom_variables": who.metadata,
        **({"response": who.said(kind), "response_code": 550} if kind == "hard" else {}),
        **({"response": who.said(kind), "response_code": 452} if kind == "soft" else {}),
    }


def _mandrill(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "delivered": "send",
        "hard": "hard_bounce",
        "soft": "soft_bounce",
        "complaint": "spam",
        "unsubscribe": "unsub",
    }
    about = {"hard": "bad_mailbox", "soft": "mailbox_full"}
    return {
        "event": names[kind],
        "ts": who.epoch,
        "_id": who.message_id,
        "msg": {
            "email": who.address,
            "_id": who.message_id,
            "metadata": who.metadata,
            "bounce_description": about.get(kind),
            "diag": f"smtp;{who.said(kind)}",
        },
    }


def _postal(kind: str, who: Who) -> dict[str, Any]:
    status = {"delivered": "Sent", "hard": "HardFail", "soft": "SoftFail"}[kind]
    return {
        "event": "MessageDeliveryFailed",
        "timestamp": who.epoch,
        "uuid": who.event_id,
        "payload": {
            "status": status,
            "details": "",
            "output": who.said(kind) or "250 2.0.0 OK",
            "message": {
                "id": who.message_id,
                "direction": "outgoing",
                "to": who.address,
                "tag": None,
            },
        },
    }


def _postmark(kind: str, who: Who) -> dict[str, Any]:
    common = {"MessageID": who.message_id, "Metadata": who.metadata, "MessageStream": "broadcast"}
    if kind == "delivered":
        return {
            **common,
            "RecordType": "Delivery",
            "Recipient": who.address,
            "DeliveredAt": who.iso,
            "Details": "250 OK",
        }
    if kind == "unsubscribe":
        return {
            **common,
            "RecordType": "SubscriptionChange",
            "Recipient": who.address,
            "ChangedAt": who.iso,
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
            "Origin": "Recipient",
        }
    types = {"hard": "HardBounce", "soft": "SoftBounce", "complaint": "SpamComplaint"}
    return {
        **common,
        "RecordType": "SpamComplaint" if kind == "complaint" else "Bounce",
        "ID": who.event_id,
        "Type": types[kind],
        "Email": who.address,
        "BouncedAt": who.iso,
        "Details": f"smtp;{who.said(kind)}",
    }


def _resend(kind: str, who: Who) -> dict[str, Any]:
    names = {"delivered": "delivered", "complaint": "complained"}
    bounces = {
        "hard": {
            "type": "Permanent",
            "subType": "General",
            "message": "The recipient's email provider sent a hard bounce message.",
        },
        "soft": {
            "type": "Transient",
            "subType": "MailboxFull",
            "message": "The recipient's inbox was full.",
        },
    }
    return {
        "type": f"email.{names.get(kind, 'bounced')}",
        "created_at": who.iso,
        "data": {
            "email_id": who.message_id,
            "to": [who.address],
            "headers": [{"name": "X-Metadata", "value": json.dumps(who.metadata)}],
            **({"bounce": bounces[kind]} if kind in bounces else {}),
        },
    }


def _sendgrid(kind: str, who: Who) -> dict[str, Any]:
    names = {"hard": "bounce", "soft": "bounce", "complaint": "spamreport"}
    bounced = {
        "type": "bounce",
        "status": {"hard": "5.1.1", "soft": "5.2.2"}.get(kind),
        "reason": who.said(kind),
    }
    return {
        "event": names.get(kind, kind),
        "email": who.address,
        "timestamp": who.epoch,
        "sg_event_id": who.event_id,
        "anymail_id": who.message_id,
        **who.metadata,
        **(bounced if kind in SAID else {}),
    }


def _sparkpost(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "delivered": ("message_event", "delivery"),
        "complaint": ("message_event", "spam_complaint"),
        "unsubscribe": ("unsubscribe_event", "list_unsubscribe"),
    }
    group, name = names.get(kind, ("message_event", "bounce"))
    bounced = {
        "bounce_class": {"hard": "10", "soft": "22"}.get(kind),
        "error_code": {"hard": "550", "soft": "452"}.get(kind),
        "raw_reason": who.said(kind),
    }
    event = {
        "type": name,
        "event_id": who.event_id,
        "timestamp": str(who.epoch),
        "transmission_id": who.message_id,
        "raw_rcpt_to": who.address,
        "rcpt_meta": who.metadata,
        **(bounced if kind in SAID else {}),
    }
    return {"msys": {group: event}}


def _unisender_go(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "hard": "hard_bounced",
        "soft": "soft_bounced",
        "complaint": "spam",
        "unsubscribe": "unsubscribed",
    }
    reasons = {"hard": "err_user_unknown", "soft": "err_mailbox_full"}
    return {
        "job_id": who.message_id,
        "email": who.address,
        "status": names.get(kind, kind),
        "event_time": who.at.strftime("%Y-%m-%d %H:%M:%S"),
        "metadata": who.metadata,
        "delivery_info": {
            "delivery_status": reasons.get(kind, ""),
            "destination_response": who.said(kind),
        },
    }


_EVENTS: dict[str, Callable[..., dict[str, Any]]] = {
    "amazon_ses": _amazon_ses,
    "brevo": _brevo,
    "mailersend": _mailersend,
    "mailgun": _mailgun,
    "mailjet": _mailjet,
    "mailtrap": _mailtrap,
    "mandrill": _mandrill,
    "postal": _postal,
    "postmark": _postmark,
    "resend": _resend,
    "sendgrid": _sendgrid,
    "sparkpost": _sparkpost,
    "unisender_go": _unisender_go,
}
