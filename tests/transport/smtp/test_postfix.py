"""A real relay with TLS queues exactly what was compiled, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from newsletter.transport import registry
from newsletter.transport.outcomes import Recipient, Result, TransportDownError
from tests.transport.cast import INLINE_IMAGE, make_email, reader, readers
from tests.transport.certificate import certificate
from tests.transport.smtp.postfix import Postfix, unavailable_reason
from tests.transport.test_dkim import ED25519, RSA, needs_dkimpy, verified, written

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(
        bool(unavailable_reason()), reason=unavailable_reason() or "it can be started"
    ),
]


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    relay = Postfix()
    yield relay
    relay.close()


def numbered(first: int, count: int) -> list[Recipient]:
    return [reader(position) for position in range(first, first + count)]


@pytest.mark.parametrize(
    ("offer", "first"), [("chunking", 0), ("data", 100), ("stepwise", 200)], ids=str
)
def test_postfix_queues_exactly_the_compiled_messages(
    postfix: Postfix, offer: str, first: int
) -> None:
    recipients = numbered(first, 60)
    options = f"starttls=demand&ca={postfix.trusted}&connections=3&return_path=bounces.example.org"
    transport = registry.from_url(f"smtp://127.0.0.1:{postfix.ports[offer]}?{options}")
    compiled = transport.compile(make_email(images=(INLINE_IMAGE,)))
    send_results = list(transport.send(compiled, recipients))
    transport.close()
    assert [send_result.result for send_result in send_results] == [Result.SENT] * 60
    assert {send_result.status for send_result in send_results} == {"2.0.0"}
    queued = {rcpt: (sender, content) for sender, rcpt, content in postfix.queued()}
    for recipient in recipients:
        sender, content = queued[recipient.address]
        assert sender == f"bounce+{recipient.delivery_id}@bounces.example.org"
        date = str(message_from_bytes(content)["Date"]).encode()
        meant = compiled.message(recipient, date=date)
        # postcat ends its last line once more.
        assert content.rstrip(b"\n") == meant.replace(b"\r\n", b"\n").rstrip(b"\n")


@needs_dkimpy
@pytest.mark.parametrize(("name", "key", "first"), [("ed", ED25519, 300), ("rsa", RSA, 400)])
def test_a_signature_survives_postfix(
    postfix: Postfix, tmp_path: Path, name: str, key: Any, first: int
) -> None:
    path = written(tmp_path, key)
    options = f"starttls=demand&ca={postfix.trusted}&dkim_selector={name}&dkim_key_file={path}"
    transport = registry.from_url(f"smtp://127.0.0.1:{postfix.ports['chunking']}?{options}")
    recipients = numbered(first, 5)
    send_results = list(transport.send(transport.compile(make_email()), recipients))
    transport.close()
    assert [send_result.result for send_result in send_results] == [Result.SENT] * 5
    queued = {rcpt: content for _, rcpt, content in postfix.queued()}
    for recipient in recipients:
        assert verified(queued[recipient.address].replace(b"\n", b"\r\n"))


def test_an_untrusted_certificate_is_refused(postfix: Postfix, tmp_path: Path) -> None:
    _, other = certificate(tmp_path)
    url = f"smtp://127.0.0.1:{postfix.ports['data']}?starttls=demand&ca={other}"
    transport = registry.from_url(url)
    with pytest.raises(TransportDownError, match="TLS handshake failed"):
        list(transport.send(transport.compile(make_email()), readers(1)))


def test_postfix_requiring_tls_is_reported(postfix: Postfix) -> None:
    transport = registry.from_url(f"smtp://127.0.0.1:{postfix.ports['data']}")
    with pytest.raises(TransportDownError, match=r"mail: 530 5\.7\.0"):
        list(transport.send(transport.compile(make_email()), readers(1)))
