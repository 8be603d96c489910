"""Rate limits against list bombing (B4): per network, domain and address, and in total."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as BrokerDownError

from newsletter.editorial.models import Newsletter, NewsletterTranslation
from newsletter.lib.environment import parse_networks
from subscribers import intake
from subscribers.addresses import normalise
from subscribers.antiabuse import form_checks, rate_limits
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake, Subscription, TransactionalEmail
from tests.conftest import ReportedOutages
from tests.subscribers.conftest import Ask, filled
from tests.subscribers.proof_of_work import new_solution

pytestmark = pytest.mark.django_db
LOCAL = parse_networks("127.0.0.0/8,::1")
MONDAY = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def post(client: Client, ip: str = "198.51.100.7", **data: Any) -> int:
    return client.post("/en/subscribe/", filled(**data), REMOTE_ADDR=ip).status_code


# --- Networks ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("remote", "forwarded", "network"),
    [
        ("198.51.100.7", "", "198.51.100.0/24"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "", "198.51.100.0/24"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.0/24"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.0/24"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.0/24"),
        ("", "198.51.100.7", "198.51.100.0/24"),
        ("127.0.0.1", "", None),
        ("", "", None),
        ("127.0.0.1", "198.51.100.7, nonsense", None),
        ("127.0.0.1", "198.51.100.7, 127.0.0.1", "198.51.100.0/24"),
    ],
)
def test_x_forwarded_for_counts_only_from_trusted_proxies(
    remote: str, forwarded: str, network: str | None
) -> None:
    assert rate_limits.network_of(remote, forwarded, LOCAL) == network


@given(st.text(), st.text())
def test_arbitrary_headers_raise_nothing(remote: str, forwarded: str) -> None:
    rate_limits.network_of(remote, forwarded, LOCAL)


def test_b4_without_proof_of_work_a_network_gets_a_fifth_of_the_limit(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 10
    answers = [post(client, f"198.51.100.{n}") for n in range(4)]
    assert answers == [303, 303, 429, 429]
    assert post(client, "198.51.101.1") == 303
    assert Intake.objects.count() == 3


def test_b4_with_proof_of_work_a_network_gets_the_whole_limit(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 3
    answers = [post(client, altcha=new_solution()) for _time in range(5)]
    assert answers == [303, 303, 303, 429, 429]


def test_b4_a_reader_over_the_limit_gets_an_explanation_and_keeps_the_input(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 5
    post(client)
    form = filled(email="kept@readers.example")
    page = client.post("/en/subscribe/", form, REMOTE_ADDR="198.51.100.7")
    assert page.status_code == 429
    assert "Try again in an hour" in page.content.decode()
    assert "kept@readers.example" in page.content.decode()


def test_the_network_limit_resets_after_an_hour(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 5
    with time_machine.travel(datetime(2026, 5, 4, 10, 30, tzinfo=UTC), tick=False) as clock:
        assert [post(client), post(client)] == [303, 429]
        clock.shift(timedelta(minutes=31))
        assert post(client) == 303


def test_b4_counters_store_no_address_and_their_key_changes_daily(
    client: Client, weekly: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    incr = cache.incr

    def recording_incr(name: str) -> int:
        names.append(name)
        return int(incr(name))

    monkeypatch.setattr(cache, "incr", recording_incr)
    with time_machine.travel(MONDAY, tick=False) as clock:
        post(client)
        clock.shift(timedelta(days=1))
        post(client)
    assert len(set(names)) == 2
    assert not [name for name in names if "198.51" in name or "51.100" in name]


def test_readers_can_sign_up_while_the_cache_is_down(
    client: Client,
    weekly: Newsletter,
    monkeypatch: pytest.MonkeyPatch,
    reported: ReportedOutages,
) -> None:
    def down(*args: object, **kwargs: object) -> None:
        raise BrokerDownError("no broker")

    monkeypatch.setattr(cache, "add", down)
    assert post(client) == 303
    assert post(client, altcha=new_solution()) == 303
    assert intake.drain(10) == 2
    assert set(reported.services) == {"cache"}


def test_zero_disables_a_limit(client: Client, weekly: Newsletter, settings: Any) -> None:
    settings.SIGN_UPS_PER_NETWORK = settings.SIGN_UPS_PER_DOMAIN = settings.SIGN_UPS_IN_ALL = 0
    assert {post(client, email=f"reader{n}@readers.example") for n in range(20)} == {303}
    assert intake.drain(50) == TransactionalEmail.objects.count() == 20


# --- Timestamp --------------------------------------------------------------------------------
@pytest.mark.parametrize("stamp", ["", ":1wPNkW:" + "0" * 43, "x" * 5000, "\0"])
def test_b4_a_form_without_a_genuine_timestamp_must_be_sent_again(
    client: Client, weekly: Newsletter, stamp: str
) -> None:
    answer = client.post("/en/subscribe/", filled(stamp=stamp))
    assert answer.status_code == 422
    assert "press the button again" in answer.content.decode()
    assert not Intake.objects.exists()


def test_b4_a_form_submitted_too_fast_must_be_sent_again(
    client: Client, weekly: Newsletter
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        form = client.get("/en/subscribe/").context["form"]
        data = filled(stamp=form.stamp)
        answer = client.post("/en/subscribe/", data)
        assert answer.status_code == 422
        assert answer.context["form"].stamp == form.stamp
        clock.shift(timedelta(seconds=3))
        assert client.post("/en/subscribe/", data).status_code == 303


def test_with_a_proof_of_work_a_form_may_be_submitted_at_once(
    client: Client, weekly: Newsletter
) -> None:
    data = filled(stamp=form_checks.sign_timestamp(), altcha=new_solution())
    assert client.post("/en/subscribe/", data).status_code == 303


# --- Domain, and in total ---------------------------------------------------------------------
def sign_up(weekly: Newsletter, *addresses: str) -> None:
    for address in addresses:
        intake.receive_sign_up(
            normalise(address), newsletter=weekly, languages=("en",), page_language="en"
        )


def test_b4_sign_ups_above_the_domain_limit_wait(weekly: Newsletter, settings: Any) -> None:
    settings.SIGN_UPS_PER_DOMAIN = 2
    sign_up(weekly, *[f"reader{n}@victim.example" for n in range(4)], "other@readers.example")
    assert intake.drain(10) == 3
    assert TransactionalEmail.objects.count() == 3
    assert intake.drain(10) == 0
    waiting = Intake.objects.filter(due_at__gt=datetime.now(tz=UTC) + timedelta(minutes=59))
    assert waiting.update(due_at=datetime(2020, 1, 1, tzinfo=UTC)) == 2
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=1, minutes=1), tick=False):
        assert intake.drain(10) == 2
    assert not Intake.objects.exists()
    assert TransactionalEmail.objects.count() == 5


def test_large_providers_have_no_domain_limit(weekly: Newsletter, settings: Any) -> None:
    settings.SIGN_UPS_PER_DOMAIN = 1
    sign_up(weekly, *[f"reader{n}@gmail.com" for n in range(4)])
    assert intake.drain(10) == 4


def test_b4_sign_ups_above_the_total_limit_wait(weekly: Newsletter, settings: Any) -> None:
    settings.SIGN_UPS_IN_ALL = 3
    sign_up(weekly, *[f"reader{n}@site{n}.example" for n in range(5)])
    intake.receive_link_request(normalise("nobody@readers.example"))
    assert intake.drain(10) == 4
    assert TransactionalEmail.objects.count() == 3
    assert Intake.objects.count() == 2
    assert intake.drain(10) == 0
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=1, minutes=1), tick=False):
        assert intake.drain(10) == 2


# --- One address ------------------------------------------------------------------------------
@pytest.mark.slow
def test_b4_a_thousand_sign_ups_for_one_address_send_one_email(ask: Ask) -> None:
    for n in range(1000):
        ask(address="VICTIM@readers.example" if n % 2 else "victim@Readers.Example")
    assert TransactionalEmail.objects.count() == 1


@pytest.fixture
def monthly(weekly: Newsletter) -> Newsletter:
    newsletter = Newsletter.objects.create(
        slug="monthly", languages=["en"], sender_address="desk@news.example.org", time=weekly.time
    )
    NewsletterTranslation.objects.create(newsletter=newsletter, language="en", name="The Month")
    return newsletter


def process_sign_up(newsletter: Newsletter) -> None:
    sign_up(newsletter, "ala@readers.example")
    intake.drain(10)


def test_b4_a_second_newsletters_confirmation_waits_a_day(
    weekly: Newsletter, monthly: Newsletter
) -> None:
    process_sign_up(weekly)
    for _time in range(3):
        process_sign_up(monthly)
    first, second = TransactionalEmail.objects.order_by("pk")
    assert first.newsletter == weekly
    assert second.newsletter == monthly
    assert second.due_at - first.due_at == timedelta(hours=24)
    process_sign_up(weekly)
    assert TransactionalEmail.objects.count() == 2


@pytest.fixture
def five(weekly: Newsletter) -> list[Newsletter]:
    """The weekly and four more newsletters."""
    slugs = ("monthly", "sports", "culture", "jobs")
    return [weekly, *(Newsletter.objects.create(slug=slug, languages=["en"]) for slug in slugs)]


def test_b4_signing_up_for_five_newsletters_in_a_day_sends_two_emails(
    client: Client, five: list[Newsletter]
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        for newsletter in (*five, *five):
            process_sign_up(newsletter)
            clock.shift(timedelta(hours=1))
        first, second = TransactionalEmail.objects.order_by("due_at")
        assert (first.newsletter, first.due_at) == (five[0], MONDAY)
        assert (second.newsletter, second.due_at) == (five[1], MONDAY + timedelta(hours=24))
        # Nothing is lost: the page behind either email confirms all five.
        for email in (first, second):
            page = client.get(confirm_url(Subscription.objects.get(pk=email.about)))
            assert len(page.context["also"]) == 4


def test_b4_later_confirmations_go_out_one_a_day(five: list[Newsletter]) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        for newsletter in five:
            process_sign_up(newsletter)
            TransactionalEmail.objects.filter(due_at__lte=datetime.now(tz=UTC)).update(state="sent")
            clock.shift(timedelta(hours=13))
        due = list(TransactionalEmail.objects.order_by("due_at").values_list("due_at", flat=True))
    assert due == [MONDAY + timedelta(days=n) for n in range(4)]


def test_b4_signing_up_again_sends_nothing_more(weekly: Newsletter) -> None:
    for _time in range(3):
        process_sign_up(weekly)
    assert TransactionalEmail.objects.count() == 1


def test_the_confirmation_page_lists_and_confirms_other_pending_subscriptions(
    client: Client, weekly: Newsletter, monthly: Newsletter
) -> None:
    process_sign_up(weekly)
    process_sign_up(monthly)
    first, second = Subscription.objects.order_by("pk")
    url = confirm_url(first)
    page = client.get(url).content.decode()
    assert "The Month" in page
    client.post(url, {"also": ["x", "999999", "9" * 5000, "\0", str(second.pk)]})
    assert set(Subscription.objects.values_list("state", flat=True)) == {"active"}


def test_an_unchecked_newsletter_is_not_confirmed(
    client: Client, weekly: Newsletter, monthly: Newsletter
) -> None:
    process_sign_up(weekly)
    process_sign_up(monthly)
    first, second = Subscription.objects.order_by("pk")
    client.post(confirm_url(first), {"also": []})
    second.refresh_from_db()
    assert second.state == "pending"


def test_a_reader_cannot_confirm_another_readers_subscription(
    client: Client, weekly: Newsletter, ask: Ask, monthly: Newsletter
) -> None:
    process_sign_up(weekly)
    own = Subscription.objects.get()
    foreign = ask(address="other@readers.example")
    assert foreign is not None
    client.post(confirm_url(own), {"also": [str(foreign.pk)]})
    foreign.refresh_from_db()
    assert foreign.state == "pending"


def confirm_url(subscription: Subscription) -> str:
    return reverse("subscribers:confirm", args=[tokens.make(LinkPurpose.CONFIRM, subscription.pk)])


@pytest.mark.slow
def test_b4_a_list_bombing_script_triggers_one_email_a_day(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    """For three days, hourly, from many networks: one email a day."""
    with time_machine.travel(datetime(2026, 5, 4, 0, 30, tzinfo=UTC), tick=False) as clock:
        for hour in range(72):
            for form in range(3):
                assert post(client, f"198.51.{hour}.{form}", email="victim@readers.example") == 303
            intake.drain(10)
            TransactionalEmail.objects.filter(state="queued").update(state="sent")
            clock.shift(timedelta(hours=1))
    assert TransactionalEmail.objects.count() == 3
