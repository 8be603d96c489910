"""The bytes that an SMTP server receives (A1–A4, A8–A10), and TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.transport import registry, template
from newsletter.transport.outcomes import Result, TransportDownError
from tests.transport.cast import INLINE_IMAGE, make_email, reader, readers, urls
from tests.transport.certificate import certificate

pytestmark = pytest.mark.server


class Sink:
    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 2.0.0 taken"


class AnyPort(Controller):
    """A controller on any free port, which it must know in order to check that it is up."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Sink, int]]]:
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Sink, int]:
        sink = Sink()
        running.append(AnyPort(sink, hostname="127.0.0.1", port=0, **options))
        running[-1].start()
        return sink, running[-1].port

    yield start
    for controller in running:
        controller.stop()


def test_the_server_receives_exactly_the_compiled_bytes(
    serve: Callable[..., tuple[Sink, int]],
) -> None:
    sink, port = serve()
    transport = registry.from_url(f"smtp://127.0.0.1:{port}")
    compiled = transport.compile(make_email(images=(INLINE_IMAGE,)))
    results = [send_result.result for send_result in transport.send(compiled, readers(2))]
    transport.close()
    assert results == [Result.SENT, Result.SENT]
    for position, envelope in enumerate(sink.envelopes):
        assert envelope.mail_from == "desk@news.example.org"
        assert envelope.rcpt_tos == [f"reader{position}@mail.example"]
        raw = envelope.content
        assert isinstance(raw, bytes)
        date = message_from_bytes(raw, policy=policy.default)["Date"].encode()
        assert raw == compiled.message(reader(position), date=date)
        _meets_the_standards(raw, position)


def _meets_the_standards(raw: bytes, position: int) -> None:
    message = message_from_bytes(raw, policy=policy.default)
    own_urls = urls(f"d{position:05}")
    for name in ("From", "Date", "Message-ID", "To", "Subject"):  # A1
        assert len(message.get_all(name, [])) == 1
    assert message["Message-ID"].endswith("@news.example.org>")
    assert raw.isascii()  # A2
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert [part.get_content_type() for part in message.iter_parts()] == [  # A3
        "text/plain",
        "multipart/related",
    ]
    assert message["List-Unsubscribe"] == f"<{own_urls['unsubscribe']}>"  # A4
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "Week in View <weekly.en.news.example.org>"  # A8
    assert message["Feedback-ID"].endswith(":tydzen")  # A9
    assert message["Content-Language"] == "be"  # A10
    text = message.get_body(("plain",))
    assert text is not None
    assert own_urls["unsubscribe"] in text.get_content()  # A12
    assert b"placeholders.invalid" not in raw


def _send(url: str) -> Result:
    transport = registry.from_url(url)
    (send_result,) = transport.send(transport.compile(make_email()), [reader(0)])
    transport.close()
    return send_result.result


def test_starttls_works_with_a_trusted_certificate(
    serve: Callable[..., tuple[Sink, int]], tmp_path: Path
) -> None:
    context, trusted = certificate(tmp_path)
    sink, port = serve(tls_context=context, require_starttls=True)
    assert _send(f"smtp://127.0.0.1:{port}?starttls=demand&ca={trusted}") is Result.SENT
    assert _send(f"smtp://127.0.0.1:{port}?starttls=offer") is Result.SENT
    assert len(sink.envelopes) == 2


def test_an_untrusted_certificate_is_reported(
    serve: Callable[..., tuple[Sink, int]], tmp_path: Path
) -> None:
    context, _ = certificate(tmp_path)
    sink, port = serve(tls_context=context)
    with pytest.raises(TransportDownError, match="TLS handshake failed"):
        _send(f"smtp://127.0.0.1:{port}?starttls=demand")
    assert sink.envelopes == []


def test_a_certificate_for_another_host_is_reported(
    serve: Callable[..., tuple[Sink, int]], tmp_path: Path
) -> None:
    context, trusted = certificate(tmp_path, "127.0.0.2")
    sink, port = serve(tls_context=context)
    with pytest.raises(TransportDownError, match=r"TLS handshake failed .*mismatch"):
        _send(f"smtp://127.0.0.1:{port}?starttls=demand&ca={trusted}")
    assert sink.envelopes == []


def test_a_server_without_tls_is_reported(serve: Callable[..., tuple[Sink, int]]) -> None:
    sink, port = serve()
    with pytest.raises(TransportDownError, match="TLS handshake failed"):
        _send(f"smtps://127.0.0.1:{port}?timeout=3")
    assert sink.envelopes == []


def test_the_date_header_is_in_utc() -> None:
    moment = datetime(2017, 7, 31, 9, 0, tzinfo=UTC)
    assert template.date_header(moment) == b"Mon, 31 Jul 2017 09:00:00 +0000"
