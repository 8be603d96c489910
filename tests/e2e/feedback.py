"""A provider and mail servers that report to a running site about a reader, by their address."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from email import message_from_bytes

from tests.delivery.feedback.mail import samples
from tests.delivery.feedback.payloads import body
from tests.delivery.feedback.payloads.who import Who
from tests.delivery.feedback.signing import BASIC
from tests.e2e.site import Site

PROVIDER = "postmark"
ENVIRONMENT = {"WEBHOOKS": PROVIDER, f"WEBHOOK_SECRET_{PROVIDER.upper()}": BASIC}


def delivery_id(raw: bytes) -> str:
    """Return the delivery ID in the Message-ID of an email that the relay accepted."""
    return str(message_from_bytes(raw)["Message-ID"]).strip("<>").partition("@")[0]


def post(site: Site, content: bytes, *, secret: str = BASIC) -> int:
    """Post this to the provider's webhook and return the status; 0 if it was cut off."""
    request = urllib.request.Request(  # noqa: S310 - the site's own address
        f"{site.url}/hooks/{PROVIDER}/",
        content,
        {
            "Content-Type": "application/json",
            "Authorization": f"Basic {b64encode(secret.encode()).decode()}",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def report_by_webhook(site: Site, address: str, raw: bytes) -> None:
    """Report a hard bounce, twice, and send what is wrong: no reader is found by it."""
    bounce = body(PROVIDER, "hard", Who(address, delivery_id(raw)))
    assert post(site, bounce) == post(site, bounce) == 200
    assert post(site, body(PROVIDER, "soft", Who(address, message_id=address))) == 200
    assert post(site, bounce[:-9]) == 200, "cut off"
    assert post(site, json.dumps([address, {address: address}]).encode()) == 200
    assert post(site, bounce, secret=f"hook:{address}") == 403
    assert post(site, address.encode() * 200_000) in {0, 413}


def report_by_mail(site: Site, address: str, raw: bytes) -> None:
    """Pipe a bounce, a complaint, a vacation reply and a letter into `manage.py receive_mail`."""
    identity = delivery_id(raw)
    bounce = samples.postfix(identity).replace(samples.READER.encode(), address.encode())
    letter = (
        f"From: Ala <{address}>\nTo: desk@news.example\nSubject: {address}\n\n{address}\n"
    ).encode()
    vacation = b"Auto-Submitted: auto-replied\n" + letter
    for mail in (bounce, raw, letter, vacation, bounce[: len(bounce) // 2]):
        site.run("receive_mail", "--recipient", f"bounce+{identity}@bounces.example", stdin=mail)
    site.run("receive_mail", "--recipient", address, stdin=letter)
