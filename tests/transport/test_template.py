from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.lib.placeholders import PLACEHOLDER_URL, Placeholder
from newsletter.transport import template
from newsletter.transport.base import CompileError
from newsletter.transport.outcomes import Image, Recipient
from newsletter.transport.quoted_printable import normalize_newlines
from tests.transport.cast import INLINE_IMAGE, PIXEL, make_email, reader, urls

DATE = template.date_header(datetime(2017, 7, 31, 9, 0, tzinfo=UTC))


def rendered(position: int = 7, **changes: Any) -> bytes:
    return template.compile(make_email(**changes)).message(reader(position), date=DATE)


def parsed(position: int = 7, **changes: Any) -> EmailMessage:
    return message_from_bytes(rendered(position, **changes), policy=policy.default)


def filled(text: str, *, html: bool = False, position: int = 7) -> str:
    own_urls = urls(f"d{position:05}")
    return PLACEHOLDER_URL.sub(
        lambda found: escape(own_urls[found[1]]) if html else own_urls[found[1]], text
    )


def content(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return normalize_newlines(payload.decode())


def test_a1_each_of_the_five_headers_occurs_once() -> None:
    message = parsed()
    for name in ("From", "Date", "Message-ID", "To", "Subject"):
        assert len(message.get_all(name, [])) == 1
    assert message["Message-ID"] == "<d00007@news.example.org>"
    assert message["To"] == "reader7@mail.example"
    assert message["Date"] == "Mon, 31 Jul 2017 09:00:00 +0000"
    assert message["Reply-To"] == "editors@news.example.org"


@pytest.mark.parametrize("what", ["subject", "from_name"])
@pytest.mark.parametrize(
    "bad", ["One\r\nBcc: x@y.example", "One\nTwo", "One\rTwo", "One\0", "\u2028"]
)
def test_a2_a_line_break_in_subject_or_name_is_refused(what: str, bad: str) -> None:
    with pytest.raises(CompileError, match="line break"):
        template.compile(make_email(**{what: f"a{bad}b"}))


def test_a3_text_comes_first_then_html_both_quoted_printable() -> None:
    message = parsed()
    assert message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    for part in message.iter_parts():
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        assert part.get_content_charset() == "utf-8"
    assert content(message, "plain") == filled(make_email().text)
    assert content(message, "html") == filled(make_email().html, html=True)


def test_a_text_only_email_has_one_part() -> None:
    message = parsed(html="")
    assert message.get_content_type() == "text/plain"
    assert content(message, "plain").rstrip("\n") == filled(make_email().text).rstrip("\n")


def test_an_image_is_related_to_the_html() -> None:
    message = parsed(images=(INLINE_IMAGE,))
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    image = list(message.walk())[-1]
    assert image["Content-ID"] == "<image-1>"
    assert image.get_content_disposition() == "inline"
    assert image.get_payload(decode=True) == PIXEL


def test_a4_a8_list_headers_are_never_encoded_nor_folded() -> None:
    raw = rendered()
    head = raw.split(b"\r\n\r\n")[0]
    lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n") if line[:5] == b"List-")
    assert lines[b"List-Unsubscribe"] == f"<{urls('d00007')['unsubscribe']}>".encode()
    assert lines[b"List-Unsubscribe-Post"] == b"List-Unsubscribe=One-Click"
    assert lines[b"List-Id"] == b"Week in View <weekly.en.news.example.org>"
    assert not [line for line in head.split(b"\r\n") if line[:5] == b"List-" and b"=?" in line]


def test_a8_a_non_ascii_list_name_is_left_out() -> None:
    message = parsed(headers=(("List-Id", "Тыдзень <weekly.be.news.example.org>"),))
    assert message["List-Id"] == "<weekly.be.news.example.org>"


def test_a_non_ascii_list_header_is_refused() -> None:
    with pytest.raises(CompileError, match="List-Help: only ASCII"):
        template.compile(make_email(headers=(("List-Help", "<https://навіны.example/>"),)))


def test_a9_a10_other_headers_are_unchanged() -> None:
    message = parsed(headers=(("Feedback-ID", "a:b:c:tydzen"), ("Content-Language", "be")))
    assert message["Feedback-ID"] == "a:b:c:tydzen"
    assert message["Content-Language"] == "be"


@pytest.mark.parametrize(
    "name", ["From", "to", "Bcc", "Message-ID", "X Y", "X:", "", "Return-Path"]
)
def test_a_header_that_the_transport_writes_is_refused(name: str) -> None:
    with pytest.raises(CompileError, match="not a header that an email may set"):
        template.compile(make_email(headers=((name, "x"),)))


def test_a_duplicate_header_is_refused() -> None:
    with pytest.raises(CompileError, match="given twice"):
        template.compile(
            make_email(headers=(("List-Id", "<a.example>"), ("list-id", "<b.example>")))
        )


@pytest.mark.parametrize(
    "name", ["Тыдзень, рэдакцыя", 'Desk, "the" \\ one', "Plain Name", "(odd)", "=?x?=", "J. Doe"]
)
def test_f7_a_display_name_parses_back(name: str) -> None:
    message = message_from_bytes(rendered(from_name=name))
    shown, address = parseaddr(message["From"].replace("\r\n", ""))
    assert address == "desk@news.example.org"
    assert str(make_header(decode_header(shown))) == name
    (parsed_by_policy,) = parsed(from_name=name)["From"].addresses
    assert parsed_by_policy.display_name == name


def test_f7_an_idn_sender_is_encoded_in_ace() -> None:
    domain = "навіны.example".encode("idna").decode()
    compiled = template.compile(make_email(from_address="desk@навіны.example", reply_to=""))
    message = compiled.message(reader(1), date=DATE)
    assert f"<desk@{domain}>".encode() in message
    assert f"Message-ID: <d00001@{domain}>".encode() in message
    assert domain.startswith("xn--")
    assert compiled.sender == f"desk@{domain}"


def test_an_invalid_sender_is_refused() -> None:
    with pytest.raises(CompileError, match="From"):
        template.compile(make_email(from_address="чытач@news.example.org"))


def test_an_unknown_placeholder_is_refused() -> None:
    with pytest.raises(CompileError, match="unknown placeholder somewhere"):
        template.compile(make_email(text="https://somewhere.placeholders.invalid/"))
    with pytest.raises(CompileError, match="subject"):
        template.compile(make_email(subject=f"See {Placeholder.CONFIRM.url}"))


@pytest.mark.parametrize(
    "image",
    [
        Image(cid="a b", content=PIXEL, type="image/png"),
        Image(cid="a>\r\nX: y", content=PIXEL, type="image/png"),
        Image(cid="a", content=PIXEL, type="text/html"),
    ],
)
def test_an_image_with_an_unsafe_id_or_type_is_refused(image: Image) -> None:
    with pytest.raises(CompileError, match="image"):
        template.compile(make_email(images=(image,)))


def test_an_unpaired_surrogate_is_refused() -> None:
    with pytest.raises(CompileError, match="unpaired surrogate"):
        template.compile(make_email(text="\ud800"))


@pytest.mark.parametrize(
    "url",
    ["", 'https://x.example/"', "https://x.example/\r\nX: y", "https://ж.example/", "x" * 900],
)
def test_an_unsafe_url_is_never_filled_in(url: str) -> None:
    compiled = template.compile(make_email())
    bad = Recipient(0, "r@mail.example", "d0", {**urls("d0"), "unsubscribe": url})
    with pytest.raises(template.MergeError) as caught:
        compiled.message(bad, date=DATE)
    assert str(caught.value) == "no usable URL for unsubscribe"


@pytest.mark.parametrize("delivery_id", ["", "a b", "a@b", "x" * 41, "a\r\nb"])
def test_a_delivery_id_is_opaque_and_short(delivery_id: str) -> None:
    with pytest.raises(template.MergeError):
        template.compile(make_email()).message(
            Recipient(0, "r@mail.example", delivery_id, urls("d0")), date=DATE
        )


def test_a_message_contains_nothing_of_another_reader() -> None:
    assert b"d00007" not in rendered(8)
    assert b"reader7" not in rendered(8)


anything = st.text(st.characters(exclude_categories=["Cs"]))
with_placeholders = st.lists(
    st.one_of(
        anything, st.sampled_from([*(p.url for p in Placeholder), ".", "\n.", "From ", " \n", "\t"])
    )
).map("".join)


@settings(max_examples=150, deadline=None)
@given(text=with_placeholders, html=with_placeholders)
@pytest.mark.slow
def test_any_text_with_placeholders_parses_back(text: str, html: str) -> None:
    # Text may combine into an unknown placeholder, which is refused (tested above).
    if set(PLACEHOLDER_URL.findall(text + "\0" + html)) - {each.value for each in Placeholder}:
        return
    raw = rendered(text=text, html=html or "<p>")
    message = message_from_bytes(raw, policy=policy.default)
    assert content(message, "plain") == normalize_newlines(filled(text))
    assert content(message, "html") == normalize_newlines(filled(html or "<p>", html=True))
    for line in raw.split(b"\r\n"):
        assert len(line) <= 998
        assert not line.startswith((b".", b"From "))
        assert not re.search(rb"[\r\n\x80-\xff]", line)
    body = raw.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76


@settings(max_examples=150, deadline=None)
@given(subject=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1))
@pytest.mark.slow
def test_any_subject_parses_back(subject: str) -> None:
    raw = rendered(subject=subject)
    found = message_from_bytes(raw)["Subject"]
    assert str(make_header(decode_header(found))).strip() == subject.strip()
    assert max(map(len, raw.split(b"\r\n\r\n")[0].split(b"\r\n"))) <= 998
