"""Each provider's events through HTTP, the intake and a worker, to what becomes of the reader."""

from __future__ import annotations

import pytest

from newsletter.delivery.feedback.providers import HOOKS
from newsletter.delivery.models import Event
from newsletter.delivery.sending.provider_messages import store_provider_messages
from newsletter.transport.outcomes import Result
from subscribers.models import Intake
from tests.delivery.feedback.conftest import ALA, BORYS, SentMailing, drain
from tests.delivery.feedback.payloads import CANNOT, KINDS, ONE_PER_POST, Who, body
from tests.delivery.feedback.signing import send

REPORTED = [
    (provider, kind) for provider in HOOKS for kind in KINDS if (provider, kind) not in CANNOT
]
BECOMES = {
    "delivered": ("delivered", True, ""),
    "hard": ("bounced", False, "bounced"),
    "soft": ("deferred", True, ""),
    "complaint": ("complained", False, "complained"),
    "unsubscribe": ("unsubscribed", False, ""),
}
"""Kind of event, whether the reader is still subscribed, and the reason of a suppression."""


@pytest.mark.parametrize(("provider", "kind"), REPORTED)
def test_d1_d2_d3_an_event_has_the_right_effect(
    sent: SentMailing, provider: str, kind: str
) -> None:
    assert send(provider, body(provider, kind, sent.who(ALA))) == 200
    assert sent.result(ALA) is Result.UNKNOWN, "the web process acts on nothing"
    assert drain() == 1
    assert not Intake.objects.exists()
    event, subscribed, suppression = BECOMES[kind]
    assert [found[0] for found in sent.events(ALA)] == [event]
    assert sent.is_subscribed(ALA) is subscribed
    assert sent.suppression(ALA) == suppression
    # Whatever is reported after acceptance proves that the email was sent.
    assert sent.result(ALA) is Result.SENT
    # Nothing happens to the other reader.
    assert sent.events(BORYS) == []
    assert sent.is_subscribed(BORYS)
    assert sent.result(BORYS) is Result.UNKNOWN


def test_mandrill_settles_an_outcome_though_it_reports_no_delivery(sent: SentMailing) -> None:
    send("mandrill", body("mandrill", "delivered", sent.who(ALA)))
    drain()
    assert sent.result(ALA) is Result.SENT
    assert sent.events(ALA) == []


@pytest.mark.parametrize("provider", HOOKS)
def test_d10_a_replayed_post_counts_once(sent: SentMailing, provider: str) -> None:
    for _ in range(2):
        assert send(provider, body(provider, "soft", sent.who(ALA))) == 200
        drain()
    send(provider, body(provider, "soft", sent.who(ALA)))
    send(provider, body(provider, "soft", sent.who(ALA)))
    drain()
    assert len(sent.events(ALA)) == 1


@pytest.mark.parametrize("provider", sorted(set(HOOKS) - ONE_PER_POST))
def test_d10_two_readers_under_one_event_are_told_apart(sent: SentMailing, provider: str) -> None:
    """SES has one ID and one set of metadata for both; the others may repeat an ID."""
    ala = sent.who(ALA)
    borys = sent.who(BORYS)
    assert send(provider, body(provider, "hard", ala, borys)) == 200
    drain()
    for address in (ALA, BORYS):
        assert [found[0] for found in sent.events(address)] == ["bounced"]
        assert sent.suppression(address) == "bounced"
    assert Event.objects.count() == 2


@pytest.mark.parametrize("provider", HOOKS)
def test_c9_without_metadata_the_address_tells_who_of_a_batch_it_was(
    sent: SentMailing, provider: str
) -> None:
    """A provider may give all readers of a batch one ID."""
    pairs = [(reader.pk, "<batch@provider.example>") for reader in sent.readers.values()]
    assert store_provider_messages(sent.mailing.pk, pairs) == 2
    who = Who(ALA.upper(), message_id="<batch@provider.example>")
    send(provider, body(provider, "hard", who))
    drain()
    assert [found[0] for found in sent.events(ALA)] == ["bounced"]
    assert sent.events(BORYS) == []
