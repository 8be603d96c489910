"""Events of providers that post each one alone."""

from __future__ import annotations

import json
from typing import Any

from tests.delivery.feedback.payloads.who import SAID, Who


def brevo(kind: str, who: Who) -> dict[str, Any]:
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


def mailersend(kind: str, who: Who) -> dict[str, Any]:
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


def mailgun(kind: str, who: Who) -> dict[str, Any]:
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


def postal(kind: str, who: Who) -> dict[str, Any]:
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


def postmark(kind: str, who: Who) -> dict[str, Any]:
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


def resend(kind: str, who: Who) -> dict[str, Any]:
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
