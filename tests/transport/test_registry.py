from __future__ import annotations

import pytest

from newsletter.transport import memory, registry
from newsletter.transport.base import TransportURLError
from newsletter.transport.smtp import url as smtp_url
from newsletter.transport.url import parse


def relay(url: str) -> smtp_url.Relay:
    return smtp_url.parse_relay(parse(url))


def test_an_smtp_url_is_parsed() -> None:
    read = relay("smtp://desk%40news:p%40ss%2Fw%23rd@mail.example.org:2525?connections=4&timeout=9")
    assert (read.host, read.port, read.user, read.password) == (
        "mail.example.org",
        2525,
        "desk@news",
        "p@ss/w#rd",
    )
    assert (read.tls, read.connections, read.timeout) == ("demand", 4, 9)


@pytest.mark.parametrize(
    ("url", "tls", "port"),
    [
        ("smtp://mail.example.org", "demand", 587),
        ("smtp://127.0.0.1", "never", 25),
        ("smtp://localhost:2525", "never", 2525),
        ("smtp://[::1]:2525", "never", 2525),
        ("smtp://desk:secret@127.0.0.1", "never", 25),
        ("smtp://127.0.0.1?starttls=demand", "demand", 587),
        ("smtp://mail.example.org?starttls=offer", "offer", 25),
        ("smtp://mail.example.org?starttls=never", "never", 25),
        ("smtps://desk:secret@mail.example.org", "implicit", 465),
    ],
)
def test_tls_is_required_except_on_loopback(url: str, tls: str, port: int) -> None:
    assert (relay(url).tls, relay(url).port) == (tls, port)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "scheme://"),
        ("mail.example.org", "scheme://"),
        ("sntp://u:s3cret@h", "unknown scheme"),
        ("smtp://", "host is missing"),
        ("smtp://u:s3cret@", "host is missing"),
        ("smtp://u:s3cret@h:port", "port is malformed"),
        ("smtp://u:s3cret@h:70000", "port is malformed"),
        ("smtp://u:s3cret@h:0", "malformed"),
        ("smtp://u:s3cret#x@h", "malformed"),
        ("smtp://u:s3cret/x@h", "malformed"),
        ("smtp://u:12?s3cret=x@h", "malformed"),
        ("smtp://u:s3cret@h/path", "only ?options"),
        ("smtp://u@h", "give both"),
        ("smtp://u:s3cretЖ@h", "give both"),
        ("smtp://u:s3cret@h?conections=8", "unknown option conections"),
        ("smtp://u:s3cret@h?connections=0", "whole number from 1 to 500"),
        ("smtp://u:s3cret@h?connections=many", "whole number"),
        ("smtp://u:s3cret@h?connections=1&connections=2", "given twice"),
        ("smtp://u:s3cret@h?connections", "name=value"),
        ("smtp://u:s3cret@h?starttls=maybe", "demand, offer or never"),
        ("smtp://u:s3cret@h?starttls=never", "password needs"),
        ("smtp://u:s3cret@h?starttls=offer", "password needs"),
        ("smtp://u:s3cret@h?ca=/nowhere/s3cret", "does not exist"),
        ("smtps://u:s3cret@h?starttls=demand", "from the first byte"),
        ("smtp+x://u:s3cret@h", "unknown scheme"),
        ("memory://?x=s3cret", "unknown option x"),
        ("memory://u:s3cret@h", "memory://NAME"),
    ],
)
def test_each_mistake_is_explained_without_the_secrets(url: str, says: str) -> None:
    with pytest.raises(TransportURLError) as caught:
        registry.from_url(url)
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_transports_name_contains_no_secret() -> None:
    transport = registry.from_url("smtps://desk:s3cret@mail.example.org")
    assert transport.name == "smtps://mail.example.org:465"
    assert "s3cret" not in repr(relay("smtps://desk:s3cret@mail.example.org"))


def test_a_memory_url_always_gives_the_same_transport() -> None:
    assert registry.from_url("memory://one") is memory.get_transport("one")
    assert registry.from_url("memory://") is not memory.get_transport("one")


def test_validate_gives_the_number_of_the_wrong_transport() -> None:
    registry.validate(["memory://", "smtp://127.0.0.1:25"])
    with pytest.raises(TransportURLError, match="transport 2: smtp: the host is missing"):
        registry.validate(["memory://", "smtp://"])
    with pytest.raises(TransportURLError, match="no transport"):
        registry.validate([])
