"""Single mails, in the reader's language (F4, A10)."""

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


def letter_for(subscription: Subscription, kind: str) -> TransactionalEmail:
    return TransactionalEmail(
        kind=kind, subscriber=subscription.subscriber, newsletter=subscription.newsletter
    )


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_f4_a_confirmation_is_in_the_readers_language(ask: Ask, language: str) -> None:
    ask("be", "ru", page_language=language)
    with translation.override("en"):
        mail = texts.write(TransactionalEmail.objects.get())
    assert ("Auto-Submitted", "auto-generated") in mail.headers
    assert ("Content-Language", language) in mail.headers
    assert NAMES[language] in mail.subject
    assert mail.from_name == NAMES[language]
    assert f'lang="{language}"' in mail.html
    with translation.override(language):
        nothing = translation.gettext(
            "If it wasn’t you, ignore this email. You won’t hear from us again."
        )
    for text in (mail.text, mail.html):
        assert "беларуская, русский" in text
        assert "https://confirm.placeholders.invalid/" in text
        assert ALA not in text
    assert " ".join(nothing.split()) in " ".join(mail.text.split())


def test_a_letter_to_a_reader_leads_to_choices_and_out(add_reader: AddReader) -> None:
    email = letter_for(add_reader("be"), TransactionalEmail.Kind.ALREADY)
    mail = texts.write(email)
    assert set(PLACEHOLDER_URL.findall(mail.text)) == {"preferences", "unsubscribe"}
    assert set(PLACEHOLDER_URL.findall(mail.html)) == {"preferences", "unsubscribe"}


def test_the_sender_has_the_newsletters_own_name(ask: Ask) -> None:
    NewsletterTranslation.objects.update(sender_name="The desk, of the week")
    ask()
    mail = texts.write(TransactionalEmail.objects.get())
    assert mail.from_name == "The desk, of the week"
    assert mail.from_address == "desk@news.example.org"


def test_nobody_is_asked_for_what_they_confirmed(ask: Ask) -> None:
    subscription = ask()
    email = TransactionalEmail.objects.get()
    assert subscription is not None
    texts.write(email)
    lifecycle.confirm(subscription.pk)
    with pytest.raises(NotWantedError, match="the subscription is active"):
        texts.write(email)


def test_nothing_goes_to_who_left_or_complained(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    email = letter_for(subscription, "already")
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


def test_what_cannot_be_written_says_why(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    with pytest.raises(NotWantedError, match="issue is not written here"):
        texts.write(letter_for(subscription, "issue"))
    email = letter_for(subscription, "already")
    subscription.delete()
    with pytest.raises(NotWantedError, match="no such subscription"):
        texts.write(email)
