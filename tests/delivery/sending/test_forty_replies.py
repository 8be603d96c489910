"""What becomes of a list of sixty, for each of many replies of relays and providers (D7–D9).

A relay or provider accepts twenty, and then answers everybody like this. Nobody may be lost, blamed
or sent to twice, and staff must hear of it unless it is about single mailboxes. (Issue 11,
criterion 1.)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from email import message_from_bytes
from typing import Any, TypeVar

import pytest

from newsletter.delivery.models import Mailing, Outcome
from newsletter.editorial.models import Issue
from newsletter.transport.outcomes import Fault, Result
from tests.delivery.conftest import AddReader, prepare_mailing, reset_transports
from tests.delivery.sending import sixty
from tests.delivery.sending.sixty import (
    EVERYBODY_GOT_IT,
    FIRST,
    READERS,
    Fate,
    deferred,
    fate,
    held,
    outage,
)
from tests.transport.provider import Answer, Provider, Request
from tests.transport.provider_answers import ADDRESSES, URLS, accept
from tests.transport.provider_errors import PROVIDER_ERRORS, ProviderError
from tests.transport.relay import HANG_UP, Relay
from tests.transport.smtp_replies import SMTP_REPLIES, SmtpReply

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]
VERBS = {"greeting": "greeting", "auth": "AUTH", "mail": "MAIL", "rcpt": "RCPT", "data": "DATA"}
FIRST_IF_TOO_FAST = 55
"""So many are accepted before one message or call is refused as too fast."""
T = TypeVar("T")


def _some(cases: Iterable[T], kind: Callable[[T], object], most: int) -> list[T]:
    """Return the first few cases of each kind: the tables have more, for quicker tests."""
    kinds: Counter[object] = Counter()
    chosen = []
    for case in cases:
        kinds[kind(case)] += 1
        if kinds[kind(case)] <= most:
            chosen.append(case)
    return chosen


SMTP_CASES = _some(
    # While a relay shuts down, a worker tries for 20 s: tests/transport/smtp has that.
    (reply for reply in SMTP_REPLIES if reply[:2] != ("mail", "421 4.3.2 shutting down")),
    lambda reply: (reply[0], reply[2], reply[3]),
    2,
)
WHOLE_CALLS = _some(
    # The others name one recipient of a call, and say nothing about a list.
    (
        error
        for error in PROVIDER_ERRORS
        if error.http >= 300 or "{to}" not in json.dumps(error.body)
    ),
    lambda error: (error.profile, error.fault),
    1,
)


@pytest.fixture(scope="module")
def shared_relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


@pytest.fixture
def relay(shared_relay: Relay) -> Iterator[Relay]:
    """A relay without any scripted replies."""
    yield shared_relay
    reset_transports()
    shared_relay.answers.clear()
    shared_relay.messages.clear()


@pytest.fixture
def article(issue: Issue, write_article: Callable[..., Any]) -> Issue:
    write_article(issue=issue, en="Minsk looks east")
    return issue


def fate_at_a_relay(step: str, fault: Fault, result: Result | None) -> Fate:
    """Return what has to become of the sixty."""
    if fault is Fault.SPEED:
        return EVERYBODY_GOT_IT
    if result is Result.DEFERRED:
        return deferred(FIRST)
    sent = 0 if step in {"greeting", "auth"} else FIRST
    if result is None and fault is Fault.RELAY:
        return outage(sent)
    return held(sent)


def script(relay: Relay, step: str, reply: str, fault: Fault) -> None:
    """Let the relay give this reply from the 21st recipient on, or to every connection."""
    reply = reply.format_map({"to": "someone@mail.example", "from": "desk@news.example.org"})
    if reply.startswith("421") or step == "greeting":
        reply += HANG_UP
    verb = VERBS.get(step, ".")
    if step not in {"greeting", "auth"}:
        accepted = {"DATA": "354 go on"}.get(verb, "250 2.1.0 ok")
        relay.answer(verb, *[accepted] * (FIRST_IF_TOO_FAST if fault is Fault.SPEED else FIRST))
    relay.answer(verb, *[reply] * (1 if fault is Fault.SPEED else 999))


@pytest.mark.parametrize("reply", SMTP_CASES, ids=lambda r: f"{r[0]} {r[1]}"[:50])
def test_d7_what_becomes_of_sixty_at_a_relay(
    article: Issue, settings: Any, relay: Relay, reply: SmtpReply
) -> None:
    step, text, fault, result = reply
    script(relay, step, text, fault)
    settings.SEND_LEASE_SECONDS = 10
    login = "desk:s3cret@" if step == "auth" else ""
    # A refusal of the account also stops the other connections, where a message may have begun.
    connections = 1 if result is None else 2
    options = f"connections={connections}&timeout=5"
    url = f"smtp://{login}127.0.0.1:{relay.port}?{options}"
    mailing = sixty.prepare(article, settings, url)

    sixty.send_what_is_due()

    assert fate(mailing) == fate_at_a_relay(step, fault, result)
    sixty.assert_nobody_is_blamed()
    if step != "final":
        assert len(relay.messages) == Outcome.objects.filter(result=Result.SENT).count()
    refused = len(relay.messages) - Outcome.objects.count()

    relay.answers.clear()
    sixty.finish(mailing)

    addressed = Counter(str(message_from_bytes(each)["To"]) for each in relay.messages)
    assert len(addressed) == READERS
    assert addressed.total() == READERS + refused
    sixty.assert_nobody_is_blamed()


class Strict(Provider):
    """Accepts `first` recipients, and then gives `refusal`, at most `refusals_left` times."""

    profile = ""
    first = FIRST
    refusal: Callable[[str], Answer] | None = None
    refusals_left = 0

    def __init__(self) -> None:
        self.accepted: list[str] = []
        super().__init__()

    def answer(self, request: Request) -> Answer:
        to = [each for shown in ADDRESSES[self.profile](request) for each in shown]
        if self.refusal and self.refusals_left and len(self.accepted) + len(to) > self.first:
            self.refusals_left -= 1
            return self.refusal(to[0])
        self.accepted += to
        return accept(self.profile, request)


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[Strict]:
    server = Strict()
    yield server
    server.close()


@pytest.fixture
def provider(shared_provider: Strict) -> Iterator[Strict]:
    """A provider that accepts everything."""
    yield shared_provider
    reset_transports()
    shared_provider.refusal = None
    shared_provider.accepted.clear()


def as_answer(error: ProviderError) -> Callable[[str], Answer]:
    """Return a function from an address to the provider's answer."""
    body = error.body if isinstance(error.body, str) else json.dumps(error.body)
    headers = error.headers
    if not isinstance(error.body, str) and "Content-Type" not in dict(headers):
        headers = (*headers, ("Content-Type", "application/json"))
    return lambda to: Answer(error.http, body.replace("{to}", to), headers)


def fate_at_a_provider(error: ProviderError, *, is_batch: bool) -> Fate:
    """Return what has to become of the sixty. A batch is refused as a whole."""
    sent = 0 if is_batch else FIRST
    if error.fault is Fault.SPEED:
        return outage(sent) if "Retry-After" in dict(error.headers) else EVERYBODY_GOT_IT
    if error.result is Result.DEFERRED:
        return deferred(sent)
    return outage(sent) if error.fault is Fault.RELAY else held(sent)


@pytest.mark.parametrize("error", WHOLE_CALLS, ids=lambda e: f"{e.profile} {e.http} {e.body}"[:60])
def test_d7_what_becomes_of_sixty_at_a_provider(
    article: Issue, settings: Any, provider: Strict, error: ProviderError
) -> None:
    provider.profile, provider.refusal = error.profile, as_answer(error)
    is_short = error.fault is Fault.SPEED and "Retry-After" not in dict(error.headers)
    provider.refusals_left = 1 if is_short else 999
    provider.first = FIRST_IF_TOO_FAST if is_short else FIRST
    settings.SEND_LEASE_SECONDS = 10
    url = f"{URLS[error.profile]}&api_url={provider.url}&timeout=5"
    mailing = sixty.prepare(article, settings, url)

    sixty.send_what_is_due()

    is_batch = not provider.accepted or len(provider.accepted) > FIRST
    assert fate(mailing) == fate_at_a_provider(error, is_batch=is_batch)
    assert len(provider.accepted) == Outcome.objects.filter(result=Result.SENT).count()
    sixty.assert_nobody_is_blamed()

    provider.refusals_left = 0
    sixty.finish(mailing)

    assert len(set(provider.accepted)) == len(provider.accepted) == READERS
    sixty.assert_nobody_is_blamed()


def test_the_table_has_the_replies_that_the_criterion_names() -> None:
    said = [text for _step, text, _fault, _result in SMTP_CASES]
    for words in ("exceeded the max emails per hour", "550 5.4.5", "550 5.7.26"):
        assert any(words in text for text in said)
    called = {(error.profile, error.http, error.status) for error in WHOLE_CALLS}
    assert ("mailgun", 420, "5.4.5") in called
    assert ("postmark", 422, "5.4.5") in called
    assert {("amazon_ses", 429, "4.7.0"), ("amazon_ses", 429, "5.4.5")} <= called
    assert len(said) + len(called) >= 40


TWO_ARE_GONE = Fate(READERS - 2, refused=2, state=Mailing.State.FINISHED)
TWO_FAILED = Fate(READERS - 2, failed=2, state=Mailing.State.FINISHED)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.1.1 no such user", TWO_ARE_GONE),
        ("550 5.7.515 Access denied: your domain does not meet the level", TWO_FAILED),
        ("550 5.6.2 we convert nothing", TWO_FAILED),
        ("450 4.2.0 greylisted", Fate(READERS - 2, waiting=2)),
        ("552 5.2.2 mailbox full", Fate(READERS - 2, waiting=2)),
    ],
)
def test_d7_a_refusal_of_two_readers_of_one_domain_stops_nobody_else(
    issue: Issue,
    write_article: Callable[..., Any],
    add_reader: AddReader,
    settings: Any,
    relay: Relay,
    reply: str,
    expected: Fate,
) -> None:
    write_article(issue=issue, en="Minsk looks east")
    for number in range(READERS):
        domain = "strict.example" if number in {10, 11} else "readers.example"
        add_reader(f"r{number}@{domain}", "en")
    relay.answer("RCPT", *["250 2.1.5 ok"] * 10, reply, reply)
    sixty.use(settings, f"smtp://127.0.0.1:{relay.port}?connections=1&timeout=5")
    mailing = prepare_mailing(issue)

    sixty.send_what_is_due()

    assert fate(mailing) == expected
    addressed = {str(message_from_bytes(each)["To"]) for each in relay.messages}
    assert len(addressed) == READERS - 2
    assert not any("strict" in address for address in addressed)


@pytest.fixture(scope="module")
def shared_pipelining_relay() -> Iterator[Relay]:
    relay = Relay(pipelines=True)
    yield relay
    relay.close()


@pytest.fixture
def pipelining_relay(shared_pipelining_relay: Relay) -> Iterator[Relay]:
    yield shared_pipelining_relay
    reset_transports()
    shared_pipelining_relay.answers.clear()
    shared_pipelining_relay.messages.clear()


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("rcpt", "550 Domain news.example.org has exceeded the max emails per hour (20/20)"),
        ("data", "550 5.4.5 Daily user sending limit exceeded"),
        ("final", "550 5.7.26 Your email has been blocked because the sender is unauthenticated"),
        ("rcpt", "550 5.1.1 no such user"),
        ("rcpt", "550"),
    ],
)
def test_d8_with_eight_connections_nobody_is_blamed_either(
    article: Issue, settings: Any, pipelining_relay: Relay, step: str, reply: str
) -> None:
    """Some messages are refused before the last ones are accepted that were started earlier."""
    relay = pipelining_relay
    script(relay, step, reply, Fault.SENDER)
    mailing = sixty.prepare(
        article, settings, f"smtp://127.0.0.1:{relay.port}?connections=8&timeout=5"
    )

    sixty.send_what_is_due()

    assert fate(mailing) == held(FIRST)
    sixty.assert_nobody_is_blamed()
    relay.answers.clear()
    sixty.finish(mailing)
    sixty.assert_nobody_is_blamed()


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "550"])
def test_d8_a_quota_that_begins_near_the_end_of_a_batch_counts_against_nobody(
    article: Issue, settings: Any, relay: Relay, reply: str
) -> None:
    """It says the same as about a mailbox that is gone. The first ten are in the first batch."""
    settings.SEND_BATCH_SIZE = FIRST + 10
    script(relay, "rcpt", reply, Fault.READER)
    url = f"smtp://127.0.0.1:{relay.port}?connections=1&timeout=5"
    mailing = sixty.prepare(article, settings, url)

    sixty.send_what_is_due()

    assert fate(mailing) == held(FIRST)
    sixty.assert_nobody_is_blamed()
    relay.answers.clear()
    sixty.finish(mailing)
    sixty.assert_nobody_is_blamed()
