"""The `mailto:` URL of List-Unsubscribe, beside the one-click URL (A4, A7)."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter.lib.environment import MAX_INBOUND_DOMAIN
from newsletter.lib.placeholders import Placeholder
from newsletter.transport import registry, template
from newsletter.transport.base import CompileError
from newsletter.transport.dkim import load_signer
from newsletter.transport.outcomes import Email, Recipient, Result
from newsletter.transport.template import MergeError, max_length
from tests.transport.cast import make_email, readers, urls
from tests.transport.provider import Mailgun, Postmark

DATE = b"Mon, 31 Jul 2017 09:00:00 +0000"
UNSUBSCRIBE, MAILTO = Placeholder.UNSUBSCRIBE, Placeholder.UNSUBSCRIBE_EMAIL
BOTH = f"<{UNSUBSCRIBE.url}>, <{MAILTO.url}>"


def both(**changes: object) -> Email:
    return make_email(headers=(("List-Unsubscribe", BOTH),), **changes)


def filled(**more: str) -> bytes:
    """Return the header's line in a message with these URLs."""
    recipient = Recipient(0, "r@mail.example", "d0", {**urls("d0"), **more})
    raw = template.compile(both()).message(recipient, date=DATE)
    [line] = [line for line in raw.split(b"\r\n") if line.startswith(b"List-Unsubscribe:")]
    return line


def test_a4_both_stand_on_one_line_unencoded() -> None:
    own = urls("d0")
    assert filled() == f"List-Unsubscribe: <{own[UNSUBSCRIBE]}>, <{own[MAILTO]}>".encode()


def test_a2_the_longest_of_both_fit_into_a_line() -> None:
    longest = {
        UNSUBSCRIBE.value: "https://news.example.org/".ljust(max_length(UNSUBSCRIBE.value), "x"),
        MAILTO.value: "mailto:".ljust(max_length(MAILTO.value), "x"),
    }
    assert 980 < len(filled(**longest)) <= 998


def test_the_longest_domain_that_may_be_configured_fits() -> None:
    address = f"unsub+{'2' * 44}@{'d' * MAX_INBOUND_DOMAIN}"
    assert filled(**{MAILTO.value: f"mailto:{address}?subject=unsubscribe"})


@pytest.mark.parametrize(
    ("placeholder", "url"),
    [
        (MAILTO, "https://news.example.org/"),
        (MAILTO, "mailto:a@b.example\r\nBcc: x@y.example"),
        (MAILTO, "mailto:".ljust(max_length(MAILTO.value) + 1, "x")),
        (MAILTO, ""),
        (UNSUBSCRIBE, "mailto:a@b.example"),
    ],
)
def test_each_placeholder_takes_only_its_own_kind_of_url(
    placeholder: Placeholder, url: str
) -> None:
    with pytest.raises(MergeError, match=f"no usable URL for {placeholder}"):
        filled(**{placeholder.value: url})


def test_two_long_urls_have_no_room_on_a_line() -> None:
    headers = (("List-Help", f"<{UNSUBSCRIBE.url}>, <{Placeholder.PREFERENCES.url}>"),)
    with pytest.raises(CompileError, match="no room for a reader's URL"):
        template.compile(make_email(headers=headers))


def test_a6_dkimpy_verifies_a_message_with_both(tmp_path: Path) -> None:
    verifier = pytest.importorskip("dkim")
    key, file = Ed25519PrivateKey.generate(), tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = b64encode(key.public_key().public_bytes_raw())
    compiled = template.compile(both(), signer=load_signer("a", file))
    raw = compiled.message(readers(1)[0], date=DATE)
    assert verifier.verify(raw, dnsfunc=lambda name, timeout=5: b"v=DKIM1; k=ed25519; p=" + public)


@pytest.mark.server
def test_c4_a_batch_gives_each_reader_both_of_their_own() -> None:
    provider = Mailgun()
    url = f"anymail+mailgun://?api_key=k&sender_domain=mg.example.org&api_url={quote(provider.url)}"
    transport = registry.from_url(url)
    results = [each.result for each in transport.send(transport.compile(both()), readers(2))]
    transport.close()
    provider.close()

    assert results == [Result.SENT, Result.SENT]
    [request] = provider.requests
    variables = json.loads(request.form["recipient-variables"][0])
    for position in range(2):
        own = urls(f"d{position:05}")
        header = variables[f"reader{position}@mail.example"]["h:List-Unsubscribe"]
        assert header == f"<{own[UNSUBSCRIBE]}>, <{own[MAILTO]}>"


@pytest.mark.server
def test_a_provider_that_takes_single_messages_gets_both() -> None:
    provider = Postmark()
    url = f"anymail+postmark://?server_token=k&api_url={quote(provider.url)}"
    transport = registry.from_url(url)
    [result] = transport.send(transport.compile(both()), readers(1))
    transport.close()
    provider.close()

    assert result.result is Result.SENT
    own = urls("d00000")
    assert f"<{own[UNSUBSCRIBE]}>, <{own[MAILTO]}>" in str(provider.requests[0].json)
