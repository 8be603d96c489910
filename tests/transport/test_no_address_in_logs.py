"""Even at debug level, no logger writes an address (G8)."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from newsletter.transport import registry
from newsletter.transport.base import AnyTransport
from newsletter.transport.outcomes import TransportDownError
from tests.transport.cast import make_email, reader
from tests.transport.provider import Answer, Mailgun
from tests.transport.relay import Relay

pytestmark = pytest.mark.server
ECHO = "550 5.1.1 <reader0@mail.example> unknown"


@pytest.fixture
def mailgun() -> Iterator[Mailgun]:
    provider = Mailgun()
    yield provider
    provider.close()


def _try(transport: AnyTransport) -> None:
    try:
        list(transport.send(transport.compile(make_email()), [reader(0)]))
    except TransportDownError as down:
        logging.getLogger("newsletter").exception("transport down", exc_info=down)
    transport.close()


def test_g8_no_address_reaches_a_log(
    relay: Relay,
    smtp: AnyTransport,
    mailgun: Mailgun,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    relay.answer("RCPT", ECHO, ECHO.replace("550", "421"))
    mailgun.scripted.extend([Answer(400, ECHO), Answer(500, ECHO)])
    url = f"anymail+mailgun://?api_key=k&sender_domain=x.example&api_url={mailgun.url}"
    with caplog.at_level(logging.DEBUG):
        for name in ("urllib3", "anymail", "requests", "mail.log"):
            caplog.set_level(logging.DEBUG, logger=name)
        for transport in (smtp, smtp, registry.from_url(url), registry.from_url(url)):
            _try(transport)
    written = caplog.text + "".join(capfd.readouterr())
    assert written.count("TransportDown") >= 2
    assert "reader0" not in written
    assert "mail.example" not in written
