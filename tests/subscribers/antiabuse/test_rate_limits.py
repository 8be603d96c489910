"""List bombing (B4): limits per network, domain, address and in all; traps for machines."""

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
from redis.exceptions import ConnectionError as Unreachable

from newsletter.editorial.models import Newsletter, NewsletterTranslation
from newsletter.lib.environment import parse_networks
from subscribers import intake
from subscribers.addresses import normalise
from subscribers.antiabuse import form_timestamps, rate_limits
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Intake, Subscription, TransactionalEmail
from tests.subscribers.conftest import Ask, filled
from tests.subscribers.solving import solved

pytestmark = pytest.mark.django_db
LOCAL = parse_networks("127.0.0.0/8,::1")
MONDAY = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
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
def test_only_a_trusted_proxy_is_believed(remote: str, forwarded: str, network: str | None) -> None:
    assert rate_limits.network_of(remote, forwarded, LOCAL) == network


@given(st.text(), st.text())
def test_no_header_stops_the_form(remote: str, forwarded: str) -> None:
    rate_limits.network_of(remote, forwarded, LOCAL)


def test_b4_a_network_without_proof_has_a_fifth(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 10
    answers = [post(client, f"198.51.100.{n}") for n in range(4)]
    assert answers == [303, 303, 429, 429]
    assert post(client, "198.51.101.1") == 303
    assert Intake.objects.count() == 3


def test_b4_a_network_with_proofs_has_all(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 3
    answers = [post(client, altcha=solved()) for _time in range(5)]
    assert answers == [303, 303, 303, 429, 429]


def test_b4_who_is_over_the_limit_is_told_and_keeps_the_input(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 5
    post(client)
    form = filled(email="kept@readers.example")
    page = client.post("/en/subscribe/", form, REMOTE_ADDR="198.51.100.7")
    assert page.status_code == 429
    assert "try again in an hour" in page.content.decode()
    assert "kept@readers.example" in page.content.decode()


def test_an_hour_later_the_network_may_again(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 5
    with time_machine.travel(datetime(2026, 5, 4, 10, 30, tzinfo=UTC), tick=False) as clock:
        assert [post(client), post(client)] == [303, 429]
        clock.shift(timedelta(minutes=31))
        assert post(client) == 303


def test_b4_counters_keep_no_address_and_their_key_turns_daily(
    client: Client, weekly: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    counted = cache.incr
    monkeypatch.setattr(cache, "incr", lambda name: [names.append(name), counted(name)][1])
    with time_machine.travel(MONDAY, tick=False) as clock:
        post(client)
        clock.shift(timedelta(days=1))
        post(client)
    assert len(set(names)) == 2
    assert not [name for name in names if "198.51" in name or "51.100" in name]


def test_a_cache_that_is_down_stops_no_reader(
    client: Client, weekly: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: object, **kwargs: object) -> None:
        raise Unreachable("no broker")

    monkeypatch.setattr(cache, "add", down)
    assert post(client) == 303
    assert post(client, altcha=solved()) == 303
    assert intake.drain(10) == 2


def test_no_limit_where_it_is_set_to_none(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = settings.SIGN_UPS_PER_DOMAIN = settings.SIGN_UPS_IN_ALL = 0
    assert {post(client, email=f"reader{n}@readers.example") for n in range(20)} == {303}
    assert intake.drain(50) == TransactionalEmail.objects.count() == 20


# --- Time and trap ----------------------------------------------------------------------------
@pytest.mark.parametrize("stamp", ["", ":1wPNkW:" + "0" * 43, "x" * 5000, "\0"])
def test_b4_a_form_without_a_stamp_of_ours_is_asked_for_again(
    client: Client, weekly: Newsletter, stamp: str
) -> None:
    answer = client.post("/en/subscribe/", filled(stamp=stamp))
    assert answer.status_code == 422
    assert "press the button once more" in answer.content.decode()
    assert not Intake.objects.exists()


def test_b4_a_form_that_comes_at_once_is_asked_for_again(
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


def test_who_has_worked_need_not_wait(client: Client, weekly: Newsletter) -> None:
    data = filled(stamp=form_timestamps.sign_timestamp(), altcha=solved())
    assert client.post("/en/subscribe/", data).status_code == 303


# --- Domain, and in all -----------------------------------------------------------------------
def sign_up(weekly: Newsletter, *addresses: str) -> None:
    for address in addresses:
        intake.receive_sign_up(
            normalise(address), newsletter=weekly, languages=("en",), page_language="en"
        )


def test_b4_what_is_above_a_domains_limit_waits(weekly: Newsletter, settings: Any) -> None:
    settings.SIGN_UPS_PER_DOMAIN = 2
    sign_up(weekly, *[f"reader{n}@victim.example" for n in range(4)], "other@readers.example")
    assert intake.drain(10) == 3
    assert TransactionalEmail.objects.count() == 3
    assert intake.drain(10) == 0
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=1, minutes=1), tick=False):
        assert intake.drain(10) == 2
    assert not Intake.objects.exists()
    assert TransactionalEmail.objects.count() == 5


def test_large_providers_have_no_limit_of_their_own(weekly: Newsletter, settings: Any) -> None:
    settings.SIGN_UPS_PER_DOMAIN = 1
    sign_up(weekly, *[f"reader{n}@gmail.com" for n in range(4)])
    assert intake.drain(10) == 4


def test_b4_what_is_above_the_limit_in_all_waits(weekly: Newsletter, settings: Any) -> None:
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
def test_b4_a_thousand_sign_ups_for_one_address_make_one_letter(ask: Ask) -> None:
    for n in range(1000):
        ask(address="VICTIM@readers.example" if n % 2 else "victim@Readers.Example")
    assert TransactionalEmail.objects.count() == 1


@pytest.fixture
def monthly(weekly: Newsletter) -> Newsletter:
    email = Newsletter.objects.create(
        slug="monthly", languages=["en"], sender_address="desk@news.example.org", time=weekly.time
    )
    NewsletterTranslation.objects.create(newsletter=email, language="en", name="The Month")
    return email


def ask_for(newsletter: Newsletter) -> None:
    sign_up(newsletter, "ala@readers.example")
    intake.drain(10)


def test_b4_a_second_newsletter_within_the_day_waits_and_is_not_lost(
    weekly: Newsletter, monthly: Newsletter
) -> None:
    ask_for(weekly)
    for _time in range(3):
        ask_for(monthly)
    first, second = TransactionalEmail.objects.order_by("pk")
    assert first.newsletter == weekly
    assert second.newsletter == monthly
    assert second.due_at - first.due_at == timedelta(hours=24)
    ask_for(weekly)
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
            ask_for(newsletter)
            clock.shift(timedelta(hours=1))
        first, second = TransactionalEmail.objects.order_by("due_at")
        assert (first.newsletter, first.due_at) == (five[0], MONDAY)
        assert (second.newsletter, second.due_at) == (five[1], MONDAY + timedelta(hours=24))
        # Nothing is lost by it: the page of either email confirms all five.
        for email in (first, second):
            page = client.get(confirm_link(Subscription.objects.get(pk=email.about)))
            assert len(page.context["also"]) == 4


def test_b4_the_days_after_send_one_email_each(five: list[Newsletter]) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        for newsletter in five:
            ask_for(newsletter)
            TransactionalEmail.objects.filter(due_at__lte=datetime.now(tz=UTC)).update(state="sent")
            clock.shift(timedelta(hours=13))
        due = list(TransactionalEmail.objects.order_by("due_at").values_list("due_at", flat=True))
    assert due == [MONDAY + timedelta(days=n) for n in range(4)]


def test_b4_asking_again_for_the_same_sends_nothing_more(weekly: Newsletter) -> None:
    for _time in range(3):
        ask_for(weekly)
    assert TransactionalEmail.objects.count() == 1


def test_one_confirmation_names_all_that_waits(
    client: Client, weekly: Newsletter, monthly: Newsletter
) -> None:
    ask_for(weekly)
    ask_for(monthly)
    first, second = Subscription.objects.order_by("pk")
    link = confirm_link(first)
    page = client.get(link).content.decode()
    assert "The Month" in page
    client.post(link, {"also": ["x", "999999", "9" * 5000, "\0", str(second.pk)]})
    assert set(Subscription.objects.values_list("state", flat=True)) == {"active"}


def test_what_is_not_ticked_is_not_confirmed(
    client: Client, weekly: Newsletter, monthly: Newsletter
) -> None:
    ask_for(weekly)
    ask_for(monthly)
    first, second = Subscription.objects.order_by("pk")
    client.post(confirm_link(first), {"also": []})
    second.refresh_from_db()
    assert second.state == "pending"


def test_nobody_confirms_for_another_reader(
    client: Client, weekly: Newsletter, ask: Ask, monthly: Newsletter
) -> None:
    ask_for(weekly)
    mine = Subscription.objects.get()
    others = ask(address="other@readers.example")
    assert others is not None
    client.post(confirm_link(mine), {"also": [str(others.pk)]})
    others.refresh_from_db()
    assert others.state == "pending"


def confirm_link(subscription: Subscription) -> str:
    return reverse("subscribers:confirm", args=[tokens.make(LinkPurpose.CONFIRM, subscription.pk)])


@pytest.mark.slow
def test_b4_a_script_that_bombs_gets_one_letter_out_a_day(
    client: Client, weekly: Newsletter, settings: Any
) -> None:
    """From many networks, with proofs done, three days long, each hour: one a day."""
    with time_machine.travel(datetime(2026, 5, 4, 0, 30, tzinfo=UTC), tick=False) as clock:
        for hour in range(72):
            for form in range(3):
                assert post(client, f"198.51.{hour}.{form}", email="victim@readers.example") == 303
            intake.drain(10)
            TransactionalEmail.objects.filter(state="queued").update(state="sent")
            clock.shift(timedelta(hours=1))
    assert TransactionalEmail.objects.count() == 3
