"""The URL of the mailbox for bounces."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.lib.mailbox_url import MailboxURL, parse_mailbox


def test_nothing_is_no_mailbox() -> None:
    assert parse_mailbox("") is None


def test_an_imap_url() -> None:
    url = parse_mailbox("imaps://desk%40news.example:p%2Fw@mail.example/Bounces?processed=Done")
    assert url == MailboxURL(
        "imaps", "mail.example", 993, "desk@news.example", "p/w", "Bounces", processed="Done"
    )
    assert url.redacted == "imaps://mail.example:993/Bounces"
    assert "p/w" not in repr(url)


def test_the_folder_and_the_port_have_defaults() -> None:
    url = parse_mailbox("imap://u:p@mail.example")
    assert url is not None
    assert (url.port, url.folder, url.processed) == (143, "INBOX", "Tydzen processed")


def test_a_maildir() -> None:
    url = parse_mailbox("maildir:///var/mail/bounces")
    assert url == MailboxURL("maildir", path=Path("/var/mail/bounces"))


@pytest.mark.parametrize(
    "text",
    [
        "pop3://u:secret@mail.example",
        "imaps://mail.example/INBOX",
        "imaps://u:secret@mail.example:port/",
        "imaps://u:secret@mail.example/INBOX?colour=red",
        "imaps://u:secret@mail.example/INBOX?processed",
        "maildir://relative/path",
        "maildir:///",
        "/var/mail/bounces",
    ],
)
def test_a_mistake_is_refused_without_repeating_the_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"imaps:|maildir:|option|malformed") as caught:
        parse_mailbox(text)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
