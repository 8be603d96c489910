"""Transactional emails are written in the reader's language (F4, A10)."""

from __future__ import annotations

import pytest
from django.utils import translation

from newsletter.editorial.models import NewsletterTranslation
from newsletter.lib.placeholders import PLACEHOLDER_URL
from subscribers import lifecycle, suppression
from subscribers.crypto.sealing import AddressHash
from subscribers.models import Subscription, TransactionalEmail
from subscribers.transactional import texts
from subscribers.transactional.texts import NotWantedError
from tests.conftest import NAMES
from tests.subscribers.conftest import ALA, AddReader, Ask


def email_for(subscription: Subscription, kind: str) -> TransactionalEmail:
    return TransactionalEmail(
        kind=kind, subscriber=subscription.subscriber, newsletter=subscription.newsletter
    )


@pytest.mark.parametrize(
    ("language", "languages"),
    [
        ("en", "Belarusian, Russian"),
        ("be", "беларуская, руская"),
        ("ru", "белорусский, русский"),
    ],
)
def test_f4_a_confirmation_is_in_the_readers_language(
    ask: Ask, language: str, languages: str
) -> None:
    ask("be", "ru", page_language=language)
    with translation.override("en"):
        message = texts.write(TransactionalEmail.objects.get())
    assert ("Auto-Submitted", "auto-generated") in message.headers
    assert ("Content-Language", language) in message.headers
    assert NAMES[language] in message.subject
    assert message.from_name == NAMES[language]
    assert f'lang="{language}"' in message.html
    with translation.override(language):
        ignore = translation.gettext(
            "If it wasn’t you, ignore this email. You won’t hear from us again."
        )
    for text in (message.text, message.html):
        assert languages in " ".join(text.split())
        assert "https://confirm.placeholders.invalid/" in text
        assert ALA not in text
    assert " ".join(ignore.split()) in " ".join(message.text.split())


def test_an_email_to_a_reader_links_to_preferences_and_unsubscribing(add_reader: AddReader) -> None:
    email = email_for(add_reader("be"), TransactionalEmail.Kind.ALREADY)
    message = texts.write(email)
    assert set(PLACEHOLDER_URL.findall(message.text)) == {"preferences", "unsubscribe"}
    assert set(PLACEHOLDER_URL.findall(message.html)) == {"preferences", "unsubscribe"}


def test_the_sender_has_the_newsletters_sender_name(ask: Ask) -> None:
    NewsletterTranslation.objects.update(sender_name="The desk, of the week")
    ask()
    message = texts.write(TransactionalEmail.objects.get())
    assert message.from_name == "The desk, of the week"
    assert message.from_address == "desk@news.example.org"


def test_a_confirmed_reader_is_not_asked_to_confirm(ask: Ask) -> None:
    subscription = ask()
    email = TransactionalEmail.objects.get()
    assert subscription is not None
    texts.write(email)
    lifecycle.confirm(subscription.pk)
    with pytest.raises(NotWantedError, match="the subscription is active"):
        texts.write(email)


def test_nothing_is_sent_to_readers_who_unsubscribed_or_complained(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    email = email_for(subscription, "already")
    reader = subscription.subscriber
    lifecycle.unsubscribe(subscription.pk)
    with pytest.raises(NotWantedError, match="the subscription is unsubscribed"):
        texts.write(email)
    lifecycle.resubscribe(subscription.pk)
    texts.write(email)
    suppression.suppress(
        AddressHash(reader.address_hash_key, bytes(reader.address_hash)), "complained"
    )
    Subscription.objects.update(state="active")
    with pytest.raises(NotWantedError, match="suppressed"):
        texts.write(email)


def test_an_email_that_cannot_be_written_says_why(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    with pytest.raises(NotWantedError, match="issue is not written here"):
        texts.write(email_for(subscription, "issue"))
    email = email_for(subscription, "already")
    subscription.delete()
    with pytest.raises(NotWantedError, match="no such subscription"):
        texts.write(email)


@pytest.mark.parametrize("language", ["en", "be", "ru"])
@pytest.mark.parametrize(
    ("kind", "in_text", "in_html", "button"),
    [
        (
            "confirmation",
            "If it was you, confirm on the page at this address:",
            "If it was you, click the button and confirm on the page that opens.",
            "Confirm subscription",
        ),
        (
            "change",
            "If it was you, confirm the change on the page at this address:",
            "If it was you, click the button and confirm your new address on the page that opens.",
            "Use this address",
        ),
    ],
)
def test_the_text_part_gives_the_url_where_the_html_part_has_a_button(
    ask: Ask, language: str, kind: str, in_text: str, in_html: str, button: str
) -> None:
    subscription = ask(page_language=language)
    assert subscription is not None
    email = TransactionalEmail.objects.get()
    if kind == "change":
        recipient = ask(address="new@readers.example", page_language=language)
        assert recipient is not None
        email = TransactionalEmail(
            kind=kind, subscriber=recipient.subscriber, about=str(subscription.pk)
        )
    message = texts.write(email)
    text, html = " ".join(message.text.split()), " ".join(message.html.split())
    with translation.override(language):
        in_text, in_html, button = map(translation.gettext, (in_text, in_html, button))
    assert f"{in_text} https://confirm.placeholders.invalid/" in text
    assert in_html not in text
    assert in_text not in html
    assert in_html in html
    assert button in html
    assert f"{button}:" not in text
