"""How each provider accepts a call, for servers and adapters in tests."""

from __future__ import annotations

import base64
import email
import json
from collections.abc import Callable
from email import policy
from typing import Any

from tests.transport.provider import Answer, Request

SECRET = "key-s3cret"
URLS = {
    "amazon_ses": f"anymail+amazon_ses://?region=eu-west-1&access_key_id=AK&secret_access_key={SECRET}",
    "brevo": f"anymail+brevo://?api_key={SECRET}",
    "mailersend": f"anymail+mailersend://?api_token={SECRET}",
    "mailgun": f"anymail+mailgun://?api_key={SECRET}&sender_domain=mg.news.example.org",
    "mailjet": f"anymail+mailjet://?api_key=k&secret_key={SECRET}",
    "mailtrap": f"anymail+mailtrap://?api_token={SECRET}",
    "mandrill": f"anymail+mandrill://?api_key={SECRET}",
    "postal": f"anymail+postal://?api_key={SECRET}",
    "postmark": f"anymail+postmark://?server_token={SECRET}",
    "postmark bulk": f"anymail+postmark://?server_token={SECRET}&use_bulk_api=true",
    "resend": f"anymail+resend://?api_key={SECRET}",
    "scaleway": f"anymail+scaleway://?secret_key={SECRET}&project_id=p",
    "sendgrid": f"anymail+sendgrid://?api_key={SECRET}",
    "sparkpost": f"anymail+sparkpost://?api_key={SECRET}",
    "unisender_go": f"anymail+unisender_go://?api_key={SECRET}",
}
"""By profile, without `api_url`."""


def _amazon_addresses(request: Request) -> list[list[str]]:
    raw = base64.b64decode(request.json["Content"]["Raw"]["Data"])
    to = str(email.message_from_bytes(raw, policy=policy.default)["To"])
    assert request.json["Destination"] == {"ToAddresses": [to]}
    return [[to]]


def _mailgun_addresses(request: Request) -> list[list[str]]:
    addresses = request.form["to"]
    # With variables for each of them, every recipient gets a message with one To.
    assert set(json.loads(request.form["recipient-variables"][0])) == set(addresses)
    return [[address] for address in addresses]


def _unisender_addresses(request: Request) -> list[list[str]]:
    return [[each["email"] for each in request.json["message"]["recipients"]]]


def _mandrill_addresses(request: Request) -> list[list[str]]:
    return [[each["email"] for each in request.json["message"]["to"]]]


ADDRESSES: dict[str, Callable[[Request], list[list[str]]]] = {
    "amazon_ses": _amazon_addresses,
    "brevo": lambda r: [[each["email"] for each in r.json["to"]]],
    "mailersend": lambda r: [[each["email"] for each in r.json["to"]]],
    "mailgun": _mailgun_addresses,
    "mailjet": lambda r: [[to["Email"] for to in each["To"]] for each in r.json["Messages"]],
    "mailtrap": lambda r: [[each["email"] for each in r.json["to"]]],
    "mandrill": _mandrill_addresses,
    "postal": lambda r: [r.json["to"]],
    "postmark": lambda r: [[r.json["To"]]],
    "postmark bulk": lambda r: [[each["To"]] for each in r.json["Messages"]],
    "resend": lambda r: [r.json["to"]],
    "scaleway": lambda r: [[each["email"] for each in r.json["to"]]],
    "sendgrid": lambda r: [
        [to["email"] for to in each["to"]] for each in r.json["personalizations"]
    ],
    "sparkpost": lambda r: [[each["address"]["email"] for each in r.json["recipients"]]],
    "unisender_go": _unisender_addresses,
}
"""The addresses in a request, those together that one message shows."""


def accept(profile: str, request: Request) -> Answer:
    """Return the answer with which the provider accepts a request."""
    addresses = [address for shown in ADDRESSES[profile](request) for address in shown]
    bodies: dict[str, Any] = {
        "amazon_ses": {"MessageId": "ses-1"},
        "brevo": {"messageId": "<1@brevo>"},
        "mailgun": {"id": "<1@mg>", "message": "Queued. Thank you."},
        "mailjet": {
            "Messages": [
                {"Status": "success", "To": [{"Email": address, "MessageID": n}]}
                for n, address in enumerate(addresses)
            ]
        },
        "mailtrap": {"success": True, "message_ids": ["mt-1"]},
        "mandrill": [{"email": each, "status": "queued", "_id": "md-1"} for each in addresses],
        "postal": {
            "status": "success",
            "data": {"messages": {each: {"id": 7, "token": "t"} for each in addresses}},
        },
        "postmark": {"ErrorCode": 0, "Message": "OK", "MessageID": "p-1", "To": addresses[0]},
        "postmark bulk": {"ID": "b", "Status": "Accepted", "PercentageCompleted": 0},
        "resend": {"id": "re-1"},
        "scaleway": {"emails": [{"id": "s-1", "mail_rcpt": addresses[0], "status": "new"}]},
        "sparkpost": {
            "results": {
                "total_accepted_recipients": len(addresses),
                "total_rejected_recipients": 0,
                "id": "sp-1",
            }
        },
        "unisender_go": {"status": "success", "job_id": "j", "emails": addresses},
    }
    if profile == "sendgrid":
        return Answer(202, "", (("X-Message-Id", "sg"),))
    if profile == "mailersend":
        return Answer(202, "", (("X-Message-Id", "ms"), ("Content-Type", "text/html")))
    return Answer(200, json.dumps(bodies[profile]), (("Content-Type", "application/json"),))
