"""Transports to stand-ins on loopback, and what each delivers to a reader.

For a provider's API, the merge fields are filled in as the provider does it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import parseaddr
from functools import partial
from typing import Any, Protocol

from newsletter.local import message_view
from tests.e2e.relay import EchoingRelay
from tests.transport.provider import Mailgun, Provider, Request, SendGrid


@dataclass(frozen=True)
class Delivered:
    """One reader's email. Header names are in lower case, each with all its values."""

    to: str
    sender: tuple[str, str]
    """Name and address."""
    subject: str
    headers: dict[str, list[str]]
    text: str
    html: str
    raw: bytes = b""
    """The message's bytes over SMTP; empty for a provider, which builds the message."""

    def header(self, name: str) -> str:
        """Return the only value of a header."""
        (value,) = self.headers[name.lower()]
        return value


class Transport(Protocol):
    url: str

    def delivered(self) -> list[Delivered]:
        """Return every email handed over so far."""


class SmtpTransport:
    def __init__(self, relay: EchoingRelay) -> None:
        self._relay = relay
        self.url = f"smtp://127.0.0.1:{relay.port}"

    def delivered(self) -> list[Delivered]:
        return [_from_bytes(to, raw) for to, raw in self._relay.accepted]


def _from_bytes(to: str, raw: bytes) -> Delivered:
    message: Any = message_from_bytes(raw, policy=policy.default)
    headers: dict[str, list[str]] = {}
    for name, value in message.items():
        headers.setdefault(name.lower(), []).append(str(value))
    (sender,) = message["From"].addresses
    return Delivered(
        to=to,
        sender=(sender.display_name, sender.addr_spec),
        subject=str(message["Subject"]),
        headers=headers,
        text=message_view.plain_text(message),
        html=message_view.html(message),
        raw=raw,
    )


class MailgunTransport:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.url = f"anymail+mailgun://?api_key=k&sender_domain=mg.example&api_url={provider.url}"

    def delivered(self) -> list[Delivered]:
        return [email for request in self._provider.requests for email in _from_mailgun(request)]


def _from_mailgun(request: Request) -> Iterator[Delivered]:
    form = request.form
    variables = json.loads(form.get("recipient-variables", ["{}"])[0])
    for to in form["to"]:
        fill = partial(_fill_by_name, variables.get(to, {}))
        yield Delivered(
            to=to,
            sender=parseaddr(form["from"][0]),
            subject=fill(form["subject"][0]),
            headers={
                name[2:].lower(): [fill(value) for value in values]
                for name, values in form.items()
                if name.startswith("h:")
            },
            text=fill(form["text"][0]),
            html=fill(form["html"][0]),
        )


def _fill_by_name(own: dict[str, str], text: str) -> str:
    return re.sub(r"%recipient\.([^%]+)%", lambda found: own[found[1]], text)


class SendGridTransport:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.url = f"anymail+sendgrid://?api_key=k&api_url={provider.url}"

    def delivered(self) -> list[Delivered]:
        return [email for request in self._provider.requests for email in _from_sendgrid(request)]


def _from_sendgrid(request: Request) -> Iterator[Delivered]:
    data = request.json
    texts = {part["type"]: part["value"] for part in data["content"]}
    for own in data["personalizations"]:
        (to,) = own["to"]
        fill = partial(_fill_by_mark, own.get("substitutions", {}))
        headers = {**data.get("headers", {}), **own.get("headers", {})}
        yield Delivered(
            to=to["email"],
            sender=(data["from"].get("name", ""), data["from"]["email"]),
            subject=fill(own.get("subject", data.get("subject", ""))),
            headers={name.lower(): [fill(value)] for name, value in headers.items()},
            text=fill(texts["text/plain"]),
            html=fill(texts["text/html"]),
        )


def _fill_by_mark(own: dict[str, str], text: str) -> str:
    for mark, value in own.items():
        text = text.replace(mark, value)
    return text


@contextmanager
def open_transport(name: str) -> Iterator[Transport]:
    """Open the transport of this name, with its stand-in."""
    if name == "smtp":
        with EchoingRelay() as relay:
            yield SmtpTransport(relay)
        return
    kinds: dict[str, tuple[type[Provider], Any]] = {
        "mailgun": (Mailgun, MailgunTransport),
        "sendgrid": (SendGrid, SendGridTransport),
    }
    provider_class, transport_class = kinds[name]
    provider = provider_class()
    try:
        yield transport_class(provider)
    finally:
        provider.close()
