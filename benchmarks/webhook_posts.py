"""Make a mailing to many readers and the signed POSTs that report about them (webhooks.py)."""

from __future__ import annotations

import base64
import json
import secrets
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from newsletter.delivery.message_ids import MAILING, delivery_id_factory
from newsletter.delivery.models import Mailing, Outcome, Release
from newsletter.editorial.models import Newsletter
from newsletter.transport.outcomes import Result
from subscribers.models import Subscriber

EVENTS = 100
NAME = "X-Twilio-Email-Event-Webhook"


def prepare(posts: int, bounces: float, folder: str) -> str:
    """Write the POSTs as bytes of HTTP to posts.json; return the public key of their signatures."""
    readers = Subscriber.objects.bulk_create(
        (
            Subscriber(
                sealed_address=b"",
                storage_key=1,
                address_hash=secrets.token_bytes(32),
                address_hash_key=1,
                language="en",
            )
            for _ in range(posts * EVENTS)
        ),
        batch_size=1000,
    )
    release = Release.objects.create(newsletter=Newsletter.objects.get(), period="2017-07-24")
    mailing = Mailing.objects.create(
        release=release, state=Mailing.State.FINISHED, readers=len(readers)
    )
    Outcome.objects.bulk_create(
        (
            Outcome(
                mailing_id=mailing.pk,
                subscriber_id=reader.pk,
                result=Result.UNKNOWN,
                source="rescue",
            )
            for reader in readers
        ),
        batch_size=1000,
    )
    identify = delivery_id_factory(MAILING, mailing.pk)
    key = ec.generate_private_key(ec.SECP256R1())
    every = int(1 / bounces) if bounces else 0
    events = [
        _event(number, identify(reader.pk), bounced=bool(every) and number % every == 0)
        for number, reader in enumerate(readers)
    ]
    made = [_post(key, events[n : n + EVENTS]) for n in range(0, len(events), EVENTS)]
    Path(folder, "posts.json").write_text(
        json.dumps([each.decode("latin-1") for each in made]), encoding="utf-8"
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(public).decode()


def _event(number: int, delivery_id: str, *, bounced: bool) -> dict[str, object]:
    address = f"reader{number:08d}@readers.example"
    common = {
        "email": address,
        "timestamp": int(time.time()),
        "sg_event_id": secrets.token_urlsafe(24),
        "sg_message_id": f"{secrets.token_urlsafe(16)}.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0",
        "smtp-id": f"<{secrets.token_hex(16)}@geopod-ismtpd-3>",
        "anymail_id": secrets.token_hex(16),
        "delivery_id": delivery_id,
        "ip": "192.0.2.1",
        "tls": 1,
    }
    if not bounced:
        return {**common, "event": "delivered", "response": "250 2.0.0 OK 1502103600 si9 - gsmtp"}
    reason = f"550 5.1.1 The email account that you tried to reach does not exist: {address}"
    return {**common, "event": "bounce", "type": "bounce", "status": "5.1.1", "reason": reason}


def _post(key: ec.EllipticCurvePrivateKey, events: list[dict[str, object]]) -> bytes:
    body, now = json.dumps(events).encode(), str(int(time.time()))
    signature = base64.b64encode(key.sign(now.encode() + body, ec.ECDSA(hashes.SHA256())))
    head = (
        "POST /hooks/sendgrid/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"{NAME}-Timestamp: {now}\r\n{NAME}-Signature: {signature.decode()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
