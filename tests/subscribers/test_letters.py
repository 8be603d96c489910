"""Single mails, in the reader's language (F4, A10)."""

from __future__ import annotations

import pytest
from django.utils import translation

from newsletter.editorial.models import NewsletterTranslation
from newsletter.lib.places import PATTERN
from subscribers import letters, lifecycle, suppression
from subscribers.letters import LetterError
from subscribers.models import Letter, Subscription
from subscribers.sealing import Index
from tests.conftest import NAMES
from tests.subscribers.conftest import ALA, AddReader, Ask


def letter_for(subscription: Subscription, kind: str) -> Letter:
    return Letter(kind=kind, subscriber=subscription.subscriber, newsletter=subscription.newsletter)


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_f4_a_confirmation_is_in_the_readers_language(ask: Ask, language: str) -> None:
    ask("be", "ru", page_language=language)
    with translation.override("en"):
        mail = letters.write(Letter.objects.get())
    assert ("Auto-Submitted", "auto-generated") in mail.headers
    assert ("Content-Language", language) in mail.headers
    assert NAMES[language] in mail.subject
    assert mail.from_name == NAMES[language]
    assert f'lang="{language}"' in mail.html
    with translation.override(language):
        nothing = translation.gettext(
            "If it wasn't you, do nothing: you will get no more mail from us."
        )
    for text in (mail.text, mail.html):
        assert "беларуская, русский" in text
        assert "https://confirm.places.invalid/" in text
        assert ALA not in text
    assert " ".join(nothing.split()) in " ".join(mail.text.split())


def test_a_letter_to_a_reader_leads_to_choices_and_out(add_reader: AddReader) -> None:
    letter = letter_for(add_reader("be"), Letter.Kind.ALREADY)
    mail = letters.write(letter)
    assert set(PATTERN.findall(mail.text)) == {"preferences", "unsubscribe"}
    assert set(PATTERN.findall(mail.html)) == {"preferences", "unsubscribe"}


def test_the_sender_has_the_newsletters_own_name(ask: Ask) -> None:
    NewsletterTranslation.objects.update(sender_name="The desk, of the week")
    ask()
    mail = letters.write(Letter.objects.get())
    assert mail.from_name == "The desk, of the week"
    assert mail.from_address == "desk@news.example.org"


def test_nobody_is_asked_for_what_they_confirmed(ask: Ask) -> None:
    subscription = ask()
    letter = Letter.objects.get()
    assert subscription is not None
    letters.write(letter)
    lifecycle.confirm(subscription.pk)
    with pytest.raises(LetterError, match="the subscription is active"):
        letters.write(letter)


def test_nothing_goes_to_who_left_or_complained(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    letter = letter_for(subscription, "already")
    reader = subscription.subscriber
    lifecycle.unsubscribe(subscription.pk)
    with pytest.raises(LetterError, match="the subscription is unsubscribed"):
        letters.write(letter)
    lifecycle.resubscribe(subscription.pk)
    letters.write(letter)
    suppression.suppress(Index(reader.index_key, bytes(reader.index)), "complained")
    Subscription.objects.update(state="active")
    with pytest.raises(LetterError, match="suppressed"):
        letters.write(letter)


def test_what_cannot_be_written_says_why(add_reader: AddReader) -> None:
    subscription = add_reader("en")
    with pytest.raises(LetterError, match="issue is not written here"):
        letters.write(letter_for(subscription, "issue"))
    letter = letter_for(subscription, "already")
    subscription.delete()
    with pytest.raises(LetterError, match="no such subscription"):
        letters.write(letter)
