"""Prove a POST's origin as each provider does, with secrets made for the tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.conf import settings
from django.test import Client
from svix.webhooks import Webhook

BASIC = "hook:s3cret-password"
KEY = "s3cret-signing-key"
SVIX = "whsec_" + base64.b64encode(b"s3cret signing key of 24").decode()


@cache
def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def _ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _public(key: Any) -> str:
    """Return the base64 of a public key, as a provider's console shows it."""
    raw = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(raw).decode()


@cache
def secrets() -> dict[str, str]:
    """Return what WEBHOOK_SECRET_NAME holds, by provider."""
    signed = dict.fromkeys(("mailersend", "mailgun", "mailtrap", "mandrill", "unisender_go"), KEY)
    basic = dict.fromkeys(("amazon_ses", "brevo", "mailjet", "postmark", "sparkpost"), BASIC)
    keys = {"postal": _public(_rsa_key()), "sendgrid": _public(_ec_key()), "resend": SVIX}
    return {**signed, **basic, **keys}


def _hmac(body: bytes, digest: str = "sha256") -> str:
    return hmac.new(KEY.encode(), body, digest).hexdigest()


def signed(provider: str, body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the body and headers of a POST that the hook accepts."""
    now = str(int(time.time()))
    match provider:
        case "mailersend":
            return body, {"Signature": _hmac(body)}
        case "mailtrap":
            return body, {"Mailtrap-Signature": _hmac(body)}
        case "mailgun":
            data = json.loads(body)
            token = data["signature"]["token"]
            data["signature"] = {
                "token": token,
                "timestamp": now,
                "signature": _hmac(f"{now}{token}".encode()),
            }
            return json.dumps(data).encode(), {}
        case "mandrill":
            events = parse_qs(body.decode())["mandrill_events"][0]
            text = f"{settings.SITE_URL}/hooks/mandrill/mandrill_events{events}"
            digest = hmac.new(KEY.encode(), text.encode(), hashlib.sha1).digest()
            return body, {"X-Mandrill-Signature": base64.b64encode(digest).decode()}
        case "postal":
            made = _rsa_key().sign(body, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
            return body, {"X-Postal-Signature": base64.b64encode(made).decode()}
        case "sendgrid":
            made = _ec_key().sign(now.encode() + body, ec.ECDSA(hashes.SHA256()))
            name = "X-Twilio-Email-Event-Webhook"
            signature = base64.b64encode(made).decode()
            return body, {f"{name}-Signature": signature, f"{name}-Timestamp": now}
        case "resend":
            return body, _svix(body, now)
        case "unisender_go":
            auth = hashlib.md5(body.replace(b"0" * 32, KEY.encode())).hexdigest()  # noqa: S324
            return body.replace(b"0" * 32, auth.encode()), {}
    return body, {"Authorization": f"Basic {base64.b64encode(BASIC.encode()).decode()}"}


def _svix(body: bytes, now: str) -> dict[str, str]:
    # The ID stays the same when a POST is repeated.
    event = "msg_" + hashlib.sha256(body).hexdigest()[:20]
    at = datetime.fromtimestamp(int(now), tz=UTC)
    signature = Webhook(SVIX).sign(event, at, body.decode())
    return {"svix-id": event, "svix-timestamp": now, "svix-signature": signature}


def post(provider: str, body: bytes, headers: dict[str, str], **kwargs: Any) -> Any:
    """POST it to the site, as if over HTTP; return the response."""
    if provider == "amazon_ses":
        try:
            data = json.loads(body)
        except ValueError:
            data = {}
        data = data if isinstance(data, dict) else {}
        headers = {
            "x-amz-sns-message-type": data.get("Type", ""),
            "x-amz-sns-message-id": data.get("MessageId", ""),
            **headers,
        }
    content_type = (
        "application/x-www-form-urlencoded" if provider == "mandrill" else "application/json"
    )
    return Client().post(
        f"/hooks/{provider}/", body, content_type=content_type, headers=headers, **kwargs
    )


def send(provider: str, body: bytes) -> int:
    """Sign and POST the body; return the status of the response."""
    return int(post(provider, *signed(provider, body)).status_code)
