"""The account pages: data export, erasure, unsubscribing from all, changing the address (B9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.transactional import outbox
from newsletter.editorial.models import Newsletter
from newsletter.lib.placeholders import Placeholder
from subscribers import intake, lifecycle, personal_data
from subscribers.audience import address_of
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake, Subscriber, Subscription, Suppression, TransactionalEmail
from subscribers.transactional import texts
from tests.subscribers.conftest import ALA, AddReader, Ask, filled
from tests.subscribers.views.conftest import complain
from tests.subscribers.views.urls import page_path, path_with

pytestmark = pytest.mark.django_db
NEW = "ala.new@elsewhere.example"
PAGES = ["account", "your-data", "unsubscribe-all", "delete-data", "change-address"]


def request_link(client: Client, address: str = ALA) -> Any:
    return client.post("/en/preferences/", filled(email=address))


# --- The link ---------------------------------------------------------------------------------
def test_a_link_is_emailed_to_the_address(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("be")
    assert request_link(client, ALA.upper())["Location"] == "/en/preferences/sent/"
    assert intake.drain(10) == 1
    email = TransactionalEmail.objects.get()
    assert (email.kind, email.subscriber) == ("link", subscription.subscriber)
    message = texts.write(email)
    assert Placeholder.ACCOUNT.url in message.html
    link = texts.placeholder_values(email)["account"]
    page = client.get(link)
    assert page.status_code == 200
    assert "Тыдзень у фокусе" in page.content.decode()
    assert page["Cache-Control"] == "private, no-store"


def test_b1_the_response_is_the_same_for_every_address(
    client: Client, add_reader: AddReader
) -> None:
    add_reader("en")
    responses = {
        (response.status_code, response["Location"], response.content)
        for response in (request_link(client), request_link(client, "nobody@readers.example"))
    }
    assert len(responses) == 1
    assert intake.drain(10) == 2
    assert TransactionalEmail.objects.count() == 1


def test_at_most_one_link_an_hour_is_sent(client: Client, add_reader: AddReader) -> None:
    add_reader("en")
    for _ in range(4):
        request_link(client)
    intake.drain(10)
    assert TransactionalEmail.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        request_link(client)
        intake.drain(10)
    assert TransactionalEmail.objects.count() == 2


def test_a_reader_who_complained_gets_no_link(client: Client, add_reader: AddReader) -> None:
    reader = add_reader("en").subscriber
    complain(reader)
    request_link(client)
    intake.drain(10)
    assert not TransactionalEmail.objects.exists()


def test_an_unsubscribed_reader_gets_a_link(client: Client, add_reader: AddReader) -> None:
    lifecycle.unsubscribe(add_reader("en").pk)
    request_link(client)
    intake.drain(10)
    assert texts.write(TransactionalEmail.objects.get()).subject


@pytest.mark.parametrize("name", PAGES)
def test_only_a_fresh_account_link_opens_the_pages(
    client: Client, add_reader: AddReader, name: str
) -> None:
    """A forwarded email has links to preferences and to unsubscribe, but none to the account."""
    subscription = add_reader("en")
    for purpose in (LinkPurpose.PREFERENCES, LinkPurpose.UNSUBSCRIBE, LinkPurpose.CONFIRM):
        token = tokens.make(purpose, subscription.pk)
        assert client.get(path_with(name, token)).status_code == 404
        assert client.post(path_with(name, token)).status_code == 404
    with time_machine.travel(timezone.now() - timedelta(hours=4, minutes=1)):
        expired = page_path(name, subscription.pk)
    response = client.post(expired)
    assert response.status_code == 410
    assert reverse("subscribers:link-request") in response.content.decode()
    subscription.refresh_from_db()
    assert subscription.state == "active"


def test_pages_linked_from_emails_contain_no_account_link(
    client: Client, add_reader: AddReader
) -> None:
    subscription = add_reader("en")
    for name in ("preferences", "unsubscribe", "confirm", "welcome"):
        page = client.get(page_path(name, subscription.pk)).content.decode()
        assert "/account/" not in page
        assert ALA not in page


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_b2_opening_a_page_changes_nothing(
    client: Client, add_reader: AddReader, name: str, method: str
) -> None:
    subscription = add_reader("en")
    assert getattr(client, method)(page_path(name, subscription.pk)).status_code in {200, 303, 405}
    subscription.refresh_from_db()
    assert subscription.state == "active"
    assert not Intake.objects.exists()


# --- Export and erasure ------------------------------------------------------------------------
def test_b9_the_export_needs_no_worker_keys(
    client: Client, add_reader: AddReader, settings: Any
) -> None:
    subscription = add_reader("be", "ru")
    settings.WORKER_KEYS = None
    response = client.get(page_path("your-data", subscription.pk))
    data = response.json()
    assert data["reader"]["subscriptions"][0]["languages"] == ["be", "ru"]
    assert "Stored encrypted" in data["address"]
    assert "attachment" in response["Content-Disposition"]
    assert response["Cache-Control"] == "private, no-store"


def test_b9_erasure_needs_no_worker_keys_and_keeps_only_a_suppression(
    client: Client, add_reader: AddReader, settings: Any
) -> None:
    subscription = add_reader("en")
    account = page_path("account", subscription.pk)
    page = client.get(page_path("delete-data", subscription.pk)).content.decode()
    assert "can’t be undone" in page
    settings.WORKER_KEYS = None
    response = client.post(page_path("delete-data", subscription.pk))
    assert (response.status_code, response["Location"]) == (303, "/en/account/deleted/")
    assert "Your data has been deleted" in client.get(response["Location"]).content.decode()
    assert not Subscriber.objects.exists()
    assert not Subscription.objects.exists()
    assert Suppression.objects.get().reason == "erased"
    assert client.get(account).status_code == 410


def test_the_account_page_unsubscribes_from_all(
    client: Client, add_reader: AddReader, second: Newsletter
) -> None:
    first = add_reader("en")
    other = lifecycle.add_confirmed(
        ALA, newsletter=second, languages=["en"], page_language="en", source="operator"
    )
    assert client.post(page_path("unsubscribe-all", first.pk)).status_code == 303
    for subscription in (first, other):
        subscription.refresh_from_db()
        assert subscription.state == "unsubscribed"


# --- Changing the address ----------------------------------------------------------------------
def request_change(
    client: Client, subscription: Subscription, to: str = NEW
) -> TransactionalEmail | None:
    response = client.post(page_path("change-address", subscription.pk), {"email": to})
    assert response.status_code == 303
    assert to.encode() not in bytes(Intake.objects.get().sealed)
    intake.drain(10)
    return TransactionalEmail.objects.filter(kind="change").first()


def confirm_change(client: Client, email: TransactionalEmail) -> None:
    link = texts.placeholder_values(email)["confirm"]
    assert client.get(link).status_code == 200
    assert not Intake.objects.exists()
    assert client.post(link).status_code == 303
    intake.drain(10)


def address(subscription: Subscription) -> str:
    return address_of(Subscriber.objects.get(pk=subscription.subscriber_id))


def test_a_change_is_confirmed_at_the_new_address(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("be", page_language="be")
    email = request_change(client, subscription)
    assert email is not None
    assert address_of(email.subscriber) == NEW
    assert set(texts.placeholder_values(email)) == {"confirm"}
    message = texts.write(email)
    assert Placeholder.CONFIRM.url in message.html
    assert address(subscription) == ALA
    personal_data.prune(timezone.now())
    confirm_change(client, email)
    assert address(subscription) == NEW
    assert Subscriber.objects.count() == 1
    assert not Suppression.objects.exists()
    # The reader is now known by the new address only.
    request_link(client, ALA)
    intake.drain(10)
    assert not TransactionalEmail.objects.exists()
    request_link(client, NEW)
    intake.drain(10)
    assert TransactionalEmail.objects.count() == 1


def test_links_in_old_emails_keep_working(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    old = page_path("unsubscribe", subscription.pk)
    email = request_change(client, subscription)
    assert email is not None
    confirm_change(client, email)
    assert client.post(old).status_code == 303
    subscription.refresh_from_db()
    assert subscription.state == "unsubscribed"


def test_changing_to_another_readers_address_merges_the_two(
    client: Client, add_reader: AddReader, second: Newsletter
) -> None:
    subscription = add_reader("be")
    add_reader("en", address=NEW)
    other = lifecycle.add_confirmed(
        NEW, newsletter=second, languages=["en"], page_language="en", source="operator"
    )
    email = request_change(client, subscription)
    assert email is not None
    confirm_change(client, email)
    reader = Subscriber.objects.get()
    assert reader.pk == subscription.subscriber_id
    assert address_of(reader) == NEW
    other.refresh_from_db()
    assert other.subscriber == reader
    assert reader.subscriptions.get(newsletter__slug="weekly").languages == ("be",)


def test_an_unconfirmed_change_is_deleted(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    assert request_change(client, subscription)
    personal_data.prune(timezone.now() + timedelta(days=3))
    assert Subscriber.objects.count() == 2
    personal_data.prune(timezone.now() + timedelta(days=4, minutes=1))
    assert Subscriber.objects.get().pk == subscription.subscriber_id
    assert not TransactionalEmail.objects.exists()


def test_b4_change_requests_cannot_flood_a_mailbox(client: Client, add_reader: AddReader) -> None:
    one, two = add_reader("en"), add_reader("en", address="two@readers.example")
    for subscription in (one, one, two):
        client.post(page_path("change-address", subscription.pk), {"email": NEW})
    intake.drain(10)
    now = timezone.now()
    assert TransactionalEmail.objects.filter(due_at__lte=now).count() == 1
    assert TransactionalEmail.objects.count() == 2


def test_a_change_to_an_address_that_complained_is_not_sent(
    client: Client, add_reader: AddReader
) -> None:
    subscription = add_reader("en")
    reader = add_reader("en", address=NEW).subscriber
    complain(reader)
    assert request_change(client, subscription) is None


def test_a_change_can_be_confirmed_only_once(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    email = request_change(client, subscription)
    assert email is not None
    link = texts.placeholder_values(email)["confirm"]
    client.post(link)
    client.post(link)
    assert intake.drain(10) == 2
    assert address(subscription) == NEW
    assert client.get(link).status_code == client.post(link).status_code == 410


def test_an_invalid_new_address_gets_an_error(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    link = page_path("change-address", subscription.pk)
    for address, message in (("nobody", "needs an @"), ("a@gmial.com", "Did you mean gmail.com")):
        response = client.post(link, {"email": address})
        assert response.status_code == 422
        assert message in response.content.decode()
    assert client.post(link, {"email": "a@gmial.com", "insist": "gmial.com"}).status_code == 303


def test_a_change_is_void_after_erasure(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    email = request_change(client, subscription)
    assert email is not None
    link = texts.placeholder_values(email)["confirm"]
    client.post(page_path("delete-data", subscription.pk))
    assert client.post(link).status_code == 410
    with pytest.raises(texts.NotWantedError):
        texts.write(email)


def test_the_confirmation_goes_to_the_new_address(
    client: Client, add_reader: AddReader, settings: Any
) -> None:
    subscription = add_reader("en")
    email = request_change(client, subscription)
    assert email is not None
    recipient = outbox._recipient(email)
    assert recipient.address == NEW
    assert (
        tokens.parse(LinkPurpose.CHANGE_ADDRESS, recipient.urls["confirm"].split("/")[-2])
        == email.pk
    )


def test_a_pending_reader_can_be_erased(client: Client, ask: Ask) -> None:
    subscription = ask()
    assert subscription is not None
    client.post(page_path("delete-data", subscription.pk))
    assert not Subscriber.objects.exists()
