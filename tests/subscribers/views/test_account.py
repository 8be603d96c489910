"""What needs a fresh link: another address, what we hold, leaving all, being forgotten (B9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.transactional import outbox as post_office
from newsletter.editorial.models import Newsletter
from newsletter.lib.placeholders import Placeholder
from subscribers import intake, lifecycle, personal_data, suppression
from subscribers.audience import address_of
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake, Subscriber, Subscription, Suppression, TransactionalEmail
from subscribers.transactional import texts
from tests.subscribers.conftest import ALA, AddReader, Ask, filled

pytestmark = pytest.mark.django_db
NEW = "ala.new@elsewhere.example"
PAGES = ["you", "held", "leave-all", "forget", "change-address"]


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


def url(name: str, pk: int, purpose: LinkPurpose = LinkPurpose.FRESH) -> str:
    return reverse(f"subscribers:{name}", args=[tokens.make(purpose, pk)])


def ask_for_link(client: Client, address: str = ALA) -> Any:
    return client.post("/en/preferences/", filled(email=address))


# --- The link ---------------------------------------------------------------------------------
def test_a_link_is_mailed_to_the_address(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("be")
    assert ask_for_link(client, ALA.upper())["Location"] == "/en/preferences/asked/"
    assert intake.drain(10) == 1
    email = TransactionalEmail.objects.get()
    assert (email.kind, email.subscriber) == ("link", subscription.subscriber)
    mail = texts.write(email)
    assert Placeholder.ACCOUNT.url in mail.html
    link = texts.placeholder_values(email)["fresh"]
    page = client.get(link)
    assert page.status_code == 200
    assert "Тыдзень у фокусе" in page.content.decode()
    assert page["Cache-Control"] == "private, no-store"


def test_b1_asking_for_a_link_answers_the_same_for_each_address(
    client: Client, add_reader: AddReader
) -> None:
    add_reader("en")
    answers = {
        (each.status_code, each["Location"], each.content)
        for each in (ask_for_link(client), ask_for_link(client, "nobody@readers.example"))
    }
    assert len(answers) == 1
    assert intake.drain(10) == 2
    assert TransactionalEmail.objects.count() == 1


def test_a_link_is_sent_once_an_hour(client: Client, add_reader: AddReader) -> None:
    add_reader("en")
    for _time in range(4):
        ask_for_link(client)
    intake.drain(10)
    assert TransactionalEmail.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        ask_for_link(client)
        intake.drain(10)
    assert TransactionalEmail.objects.count() == 2


def test_who_complained_gets_no_link(client: Client, add_reader: AddReader) -> None:
    reader = add_reader("en").subscriber
    suppression.suppress(
        suppression.AddressHash(reader.address_hash_key, bytes(reader.address_hash)), "complained"
    )
    ask_for_link(client)
    intake.drain(10)
    assert not TransactionalEmail.objects.exists()


def test_who_left_gets_a_link_that_can_be_written(client: Client, add_reader: AddReader) -> None:
    lifecycle.unsubscribe(add_reader("en").pk)
    ask_for_link(client)
    intake.drain(10)
    assert texts.write(TransactionalEmail.objects.get()).subject


@pytest.mark.parametrize("name", PAGES)
def test_only_a_fresh_link_opens_them(client: Client, add_reader: AddReader, name: str) -> None:
    """A forwarded mail holds tokens to choose and to leave, and none for this."""
    subscription = add_reader("en")
    for purpose in (LinkPurpose.PREFERENCES, LinkPurpose.UNSUBSCRIBE, LinkPurpose.CONFIRM):
        assert client.get(url(name, subscription.pk, purpose)).status_code == 404
        assert client.post(url(name, subscription.pk, purpose)).status_code == 404
    with time_machine.travel(timezone.now() - timedelta(hours=4, minutes=1)):
        old = url(name, subscription.pk)
    answer = client.post(old)
    assert answer.status_code == 410
    assert reverse("subscribers:link") in answer.content.decode()
    subscription.refresh_from_db()
    assert subscription.state == "active"


def test_a_mails_pages_hold_no_fresh_link(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    for name, purpose in (
        ("preferences", LinkPurpose.PREFERENCES),
        ("unsubscribe", LinkPurpose.UNSUBSCRIBE),
        ("confirm", LinkPurpose.CONFIRM),
        ("confirmed", LinkPurpose.CONFIRM),
    ):
        page = client.get(url(name, subscription.pk, purpose)).content.decode()
        assert "/you/" not in page
        assert ALA not in page


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_b2_opening_changes_nothing(
    client: Client, add_reader: AddReader, name: str, method: str
) -> None:
    subscription = add_reader("en")
    assert getattr(client, method)(url(name, subscription.pk)).status_code in {200, 303, 405}
    subscription.refresh_from_db()
    assert subscription.state == "active"
    assert not Intake.objects.exists()


# --- What we hold, and forgetting -------------------------------------------------------------
def test_b9_what_we_hold_is_told_without_the_workers_keys(
    client: Client, add_reader: AddReader, settings: Any
) -> None:
    subscription = add_reader("be", "ru")
    settings.WORKER_KEYS = None
    answer = client.get(url("held", subscription.pk))
    told = answer.json()
    assert told["reader"]["subscriptions"][0]["languages"] == ["be", "ru"]
    assert "Stored encrypted" in told["address"]
    assert "attachment" in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "private, no-store"


def test_b9_being_forgotten_needs_no_keys_and_leaves_a_trace_alone(
    client: Client, add_reader: AddReader, settings: Any
) -> None:
    subscription = add_reader("en")
    token = url("you", subscription.pk)
    page = client.get(url("forget", subscription.pk)).content.decode()
    assert "cannot be undone" in page
    settings.WORKER_KEYS = None
    answer = client.post(url("forget", subscription.pk))
    assert (answer.status_code, answer["Location"]) == (303, "/en/you/forgotten/")
    assert "Your data has been deleted" in client.get(answer["Location"]).content.decode()
    assert not Subscriber.objects.exists()
    assert not Subscription.objects.exists()
    assert Suppression.objects.get().reason == "erased"
    assert client.get(token).status_code == 410


def test_leaving_all_from_ones_page(
    client: Client, add_reader: AddReader, second: Newsletter
) -> None:
    one = add_reader("en")
    two = lifecycle.add_confirmed(
        ALA, newsletter=second, languages=["en"], page_language="en", source="operator"
    )
    assert client.post(url("leave-all", one.pk)).status_code == 303
    for each in (one, two):
        each.refresh_from_db()
        assert each.state == "unsubscribed"


@pytest.fixture
def second(weekly: Newsletter) -> Newsletter:
    return Newsletter.objects.create(
        slug="second", languages=["en"], sender_address="desk@news.example.org", time=weekly.time
    )


# --- Another address --------------------------------------------------------------------------
def ask_to_move(
    client: Client, subscription: Subscription, to: str = NEW
) -> TransactionalEmail | None:
    answer = client.post(url("change-address", subscription.pk), {"email": to})
    assert answer.status_code == 303
    assert to.encode() not in bytes(Intake.objects.get().sealed)
    intake.drain(10)
    return TransactionalEmail.objects.filter(kind="change").first()


def confirm_move(client: Client, email: TransactionalEmail) -> None:
    link = texts.placeholder_values(email)["confirm"]
    assert client.get(link).status_code == 200
    assert not Intake.objects.exists()
    assert client.post(link).status_code == 303
    intake.drain(10)


def address(subscription: Subscription) -> str:
    return address_of(Subscriber.objects.get(pk=subscription.subscriber_id))


def test_moving_is_confirmed_at_the_new_address(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("be", page_language="be")
    email = ask_to_move(client, subscription)
    assert email is not None
    assert address_of(email.subscriber) == NEW
    assert set(texts.placeholder_values(email)) == {"confirm"}
    mail = texts.write(email)
    assert Placeholder.CONFIRM.url in mail.html
    assert address(subscription) == ALA
    personal_data.prune(timezone.now())
    confirm_move(client, email)
    assert address(subscription) == NEW
    assert Subscriber.objects.count() == 1
    assert not Suppression.objects.exists()
    # It is known by the new address, and no longer by the old one.
    ask_for_link(client, ALA)
    intake.drain(10)
    assert not TransactionalEmail.objects.exists()
    ask_for_link(client, NEW)
    intake.drain(10)
    assert TransactionalEmail.objects.count() == 1


def test_the_links_of_old_mails_go_on_working(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    old = url("unsubscribe", subscription.pk, LinkPurpose.UNSUBSCRIBE)
    email = ask_to_move(client, subscription)
    assert email is not None
    confirm_move(client, email)
    assert client.post(old).status_code == 303
    subscription.refresh_from_db()
    assert subscription.state == "unsubscribed"


def test_moving_to_an_address_that_is_a_reader_joins_the_two(
    client: Client, add_reader: AddReader, second: Newsletter
) -> None:
    subscription = add_reader("be")
    add_reader("en", address=NEW)
    other = lifecycle.add_confirmed(
        NEW, newsletter=second, languages=["en"], page_language="en", source="operator"
    )
    email = ask_to_move(client, subscription)
    assert email is not None
    confirm_move(client, email)
    reader = Subscriber.objects.get()
    assert reader.pk == subscription.subscriber_id
    assert address_of(reader) == NEW
    other.refresh_from_db()
    assert other.subscriber == reader
    assert reader.subscriptions.get(newsletter__slug="weekly").languages == ("be",)


def test_a_move_that_nobody_confirms_is_forgotten(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    assert ask_to_move(client, subscription)
    personal_data.prune(timezone.now() + timedelta(days=3))
    assert Subscriber.objects.count() == 2
    personal_data.prune(timezone.now() + timedelta(days=4, minutes=1))
    assert Subscriber.objects.get().pk == subscription.subscriber_id
    assert not TransactionalEmail.objects.exists()


def test_b4_asking_to_move_fills_nobodys_mailbox(client: Client, add_reader: AddReader) -> None:
    one, two = add_reader("en"), add_reader("en", address="two@readers.example")
    for subscription in (one, one, two):
        client.post(url("change-address", subscription.pk), {"email": NEW})
    intake.drain(10)
    now = timezone.now()
    assert TransactionalEmail.objects.filter(due_at__lte=now).count() == 1
    assert TransactionalEmail.objects.count() == 2


def test_a_move_to_who_complained_is_not_asked_for(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    reader = add_reader("en", address=NEW).subscriber
    suppression.suppress(
        suppression.AddressHash(reader.address_hash_key, bytes(reader.address_hash)), "complained"
    )
    assert ask_to_move(client, subscription) is None


def test_a_move_that_was_done_cannot_be_done_again(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    email = ask_to_move(client, subscription)
    assert email is not None
    link = texts.placeholder_values(email)["confirm"]
    client.post(link)
    client.post(link)
    assert intake.drain(10) == 2
    assert address(subscription) == NEW
    assert client.get(link).status_code == client.post(link).status_code == 410


def test_an_odd_new_address_is_told(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    link = url("change-address", subscription.pk)
    for odd, words in (("nobody", "has an @"), ("a@gmial.com", "Did you mean gmail.com")):
        answer = client.post(link, {"email": odd})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert client.post(link, {"email": "a@gmial.com", "insist": "gmial.com"}).status_code == 303


def test_a_reader_who_erases_meanwhile_is_not_moved(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    email = ask_to_move(client, subscription)
    assert email is not None
    link = texts.placeholder_values(email)["confirm"]
    client.post(url("forget", subscription.pk))
    assert client.post(link).status_code == 410
    with pytest.raises(texts.NotWantedError):
        texts.write(email)


def test_the_letter_goes_out_to_the_new_address(
    client: Client, add_reader: AddReader, settings: Any
) -> None:
    subscription = add_reader("en")
    email = ask_to_move(client, subscription)
    assert email is not None
    recipient = post_office._recipient(email)
    assert recipient.address == NEW
    assert tokens.parse(LinkPurpose.MOVE, recipient.urls["confirm"].split("/")[-2]) == email.pk


def test_a_pending_reader_can_be_forgotten(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    client.post(url("forget", subscription.pk))
    assert not Subscriber.objects.exists()
