"""DKIM signatures that another implementation verifies, for any edition (A6)."""

from __future__ import annotations

import importlib
from base64 import b64encode
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.lib.placeholders import PLACEHOLDER_URL, Placeholder
from newsletter.transport import dkim, registry, template
from newsletter.transport.base import TransportURLError
from newsletter.transport.dkim import Signer
from tests.transport.cast import INLINE_IMAGE, make_email, reader

try:
    verifier: Any = importlib.import_module("dkim")
except ImportError:
    verifier = None
needs_dkimpy = pytest.mark.skipif(verifier is None, reason="dkimpy is not installed")

DATE = template.date_header()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
RECORDS = {
    "rsa": b"v=DKIM1; k=rsa; p="
    + b64encode(RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    "ed": b"v=DKIM1; k=ed25519; p="
    + b64encode(ED25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
}


def written(folder: Path, key: Any) -> Path:
    path = folder / "dkim.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    keys = {"rsa": RSA, "ed": ED25519}
    return {
        name: dkim.load_signer(name, written(tmp_path_factory.mktemp(name), key))
        for name, key in keys.items()
    }


def verified(raw: bytes) -> bool:
    """Return whether dkimpy verifies the message, with our two public keys as its DNS."""

    def record(name: bytes, timeout: int = 5) -> bytes:
        return RECORDS[name.decode().partition(".")[0]]

    result: bool = verifier.verify(raw, dnsfunc=record)
    return result


@needs_dkimpy
@pytest.mark.parametrize("name", ["rsa", "ed"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"html": ""},
        {"images": (INLINE_IMAGE,)},
        {"text": "ends in nothing\n\n\n \n"},
        {"text": f"{Placeholder.UNSUBSCRIBE.url}\n\n", "html": ""},
        {"text": f"two  spaces \t {Placeholder.UNSUBSCRIBE.url}  and  more\n", "html": ""},
        {"subject": "Доўгая тэма, " * 12},
    ],
)
def test_a6_dkimpy_verifies_the_signature(
    signers: dict[str, Signer], name: str, changes: dict[str, Any]
) -> None:
    compiled = template.compile(make_email(**changes), signer=signers[name])
    for position in range(3):
        assert verified(compiled.message(reader(position), date=DATE))


@needs_dkimpy
@settings(max_examples=100, deadline=None)
@given(text=st.text("ab .=\t\n\u044b", max_size=200), at=st.integers(0, 200))
@pytest.mark.slow
def test_any_text_is_signed_as_it_is_sent(signers: dict[str, Signer], text: str, at: int) -> None:
    text = text[:at] + Placeholder.PREFERENCES.url + text[at:]
    for html in ("", text):
        compiled = template.compile(make_email(text=text, html=html), signer=signers["ed"])
        assert verified(compiled.message(reader(0), date=DATE))


@needs_dkimpy
@pytest.mark.parametrize("name", ["rsa", "ed"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/unsubscribe/", b"/elsewhere/"),
        (b"To: reader0@", b"To: reader1@"),
        (b"Content-Language: be", b"Content-Language: ru"),
        (b"MIME-Version:", b"From: someone@else.example\r\nMIME-Version:"),
    ],
)
def test_a_changed_message_does_not_verify(
    signers: dict[str, Signer], name: str, old: bytes, new: bytes
) -> None:
    raw = template.compile(make_email(), signer=signers[name]).message(reader(0), date=DATE)
    assert old in raw
    assert not verified(raw.replace(old, new))


def test_a6_all_list_headers_are_signed(signers: dict[str, Signer]) -> None:
    raw = template.compile(make_email(), signer=signers["rsa"]).message(reader(0), date=DATE)
    field = message_from_bytes(raw, policy=policy.default)["DKIM-Signature"]
    tags = dict(part.strip().split("=", 1) for part in field.split(";"))
    names = tags["h"].split(":")
    for name in ("from", "to", "subject", "date", "message-id", "list-id"):
        assert name in names
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(names)
    assert names.count("from") == 2
    assert (tags["d"], tags["s"], tags["a"]) == ("news.example.org", "rsa", "rsa-sha256")
    assert raw.startswith(b"DKIM-Signature: ")


def test_f7_the_signing_domain_is_in_ace(signers: dict[str, Signer]) -> None:
    edition = make_email(from_address="desk@навіны.example", reply_to="")
    raw = template.compile(edition, signer=signers["ed"]).message(reader(0), date=DATE)
    assert b"; d=%b;" % "навіны.example".encode("idna") in raw


def test_a_signed_message_contains_no_placeholder(signers: dict[str, Signer]) -> None:
    raw = template.compile(make_email(), signer=signers["ed"]).message(reader(0), date=DATE)
    assert not PLACEHOLDER_URL.search(raw.decode())
    assert b"\0" not in raw


def test_a_url_can_name_a_selector_and_a_key(tmp_path: Path) -> None:
    path = written(tmp_path, ED25519)
    transport = registry.from_url(f"smtp://127.0.0.1:18301?dkim_selector=ed&dkim_key_file={path}")
    raw = transport.compile(make_email()).message(reader(0), date=DATE)
    assert b"a=ed25519-sha256" in raw
    assert "PRIVATE" not in repr(transport)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("dkim_selector=a", "give both"),
        ("dkim_key_file=/nowhere", "give both"),
        ("dkim_selector=a&dkim_key_file=/nowhere", "cannot be read"),
        ("dkim_selector=A.&dkim_key_file=/nowhere", "selector"),
        ("return_path=no domain", "return_path"),
        ("return_path=ex@mple", "return_path"),
    ],
)
def test_each_mistake_in_the_options_is_explained(options: str, says: str) -> None:
    with pytest.raises(TransportURLError, match=says):
        registry.from_url(f"smtp://127.0.0.1:18301?{options.replace('@', '%40')}")


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505
        ec.generate_private_key(ec.SECP256R1()),
    ],
)
def test_a_weak_or_unsupported_key_is_refused(tmp_path: Path, key: Any) -> None:
    with pytest.raises(ValueError, match="neither Ed25519 nor RSA of 2048"):
        dkim.load_signer("a", written(tmp_path, key))
