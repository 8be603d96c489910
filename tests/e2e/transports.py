"""Ways by which a mail leaves, each to a stand-in on loopback, and what then reaches a reader: of
a provider's call, with the merge fields filled in as the provider does it."""

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
    """One reader's mail. Names of headers are in small letters, each with every value it has."""

    to: str
    sender: tuple[str, str]
    """Name and address."""
    subject: str
    headers: dict[str, list[str]]
    text: str
    html: str
    raw: bytes = b""
    """Its bytes, where it was made here; a provider makes them itself."""

    def header(self, name: str) -> str:
        """The one value of a header."""
        (value,) = self.headers[name.lower()]
        return value


class Way(Protocol):
    url: str

    def delivered(self) -> list[Delivered]:
        """Everything handed over so far."""


class Smtp:
    def __init__(self, relay: EchoingRelay) -> None:
        self._relay = relay
        self.url = f"smtp://127.0.0.1:{relay.port}"

    def delivered(self) -> list[Delivered]:
        return [_of_bytes(to, raw) for to, raw in self._relay.accepted]


def _of_bytes(to: str, raw: bytes) -> Delivered:
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


class ThroughMailgun:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.url = f"anymail+mailgun://?api_key=k&sender_domain=mg.example&api_url={provider.url}"

    def delivered(self) -> list[Delivered]:
        return [mail for request in self._provider.requests for mail in _of_mailgun(request)]


def _of_mailgun(request: Request) -> Iterator[Delivered]:
    form = request.form
    variables = json.loads(form.get("recipient-variables", ["{}"])[0])
    for to in form["to"]:
        filled = partial(_by_name, variables.get(to, {}))
        yield Delivered(
            to=to,
            sender=parseaddr(form["from"][0]),
            subject=filled(form["subject"][0]),
            headers={
                name[2:].lower(): [filled(value) for value in values]
                for name, values in form.items()
                if name.startswith("h:")
            },
            text=filled(form["text"][0]),
            html=filled(form["html"][0]),
        )


def _by_name(own: dict[str, str], text: str) -> str:
    return re.sub(r"%recipient\.([^%]+)%", lambda found: own[found[1]], text)


class ThroughSendGrid:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.url = f"anymail+sendgrid://?api_key=k&api_url={provider.url}"

    def delivered(self) -> list[Delivered]:
        return [mail for request in self._provider.requests for mail in _of_sendgrid(request)]


def _of_sendgrid(request: Request) -> Iterator[Delivered]:
    data = request.json
    texts = {part["type"]: part["value"] for part in data["content"]}
    for own in data["personalizations"]:
        (to,) = own["to"]
        filled = partial(_by_mark, own.get("substitutions", {}))
        headers = {**data.get("headers", {}), **own.get("headers", {})}
        yield Delivered(
            to=to["email"],
            sender=(data["from"].get("name", ""), data["from"]["email"]),
            subject=filled(own.get("subject", data.get("subject", ""))),
            headers={name.lower(): [filled(value)] for name, value in headers.items()},
            text=filled(texts["text/plain"]),
            html=filled(texts["text/html"]),
        )


def _by_mark(own: dict[str, str], text: str) -> str:
    for mark, value in own.items():
        text = text.replace(mark, value)
    return text


@contextmanager
def way(name: str) -> Iterator[Way]:
    """The way of this name, with its stand-in listening."""
    if name == "smtp":
        with EchoingRelay() as relay:
            yield Smtp(relay)
        return
    kinds: dict[str, tuple[type[Provider], Any]] = {
        "mailgun": (Mailgun, ThroughMailgun),
        "sendgrid": (SendGrid, ThroughSendGrid),
    }
    kind, through = kinds[name]
    provider = kind()
    try:
        yield through(provider)
    finally:
        provider.close()
