"""A relay that allows fewer connections than we open delays nobody (D9; issue 11, criterion 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from email import message_from_bytes
from typing import Any

import pytest

from newsletter.delivery.models import Batch
from newsletter.delivery.sending import transports
from newsletter.editorial.models import Issue
from newsletter.transport.outcomes import Result
from tests.delivery.conftest import reset_transports
from tests.delivery.sending import sixty
from tests.transport.cast import make_email, readers
from tests.transport.relay import Relay

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.django_db]


@pytest.mark.parametrize("limit", [2, 3, 5])
def test_d9_all_readers_are_sent_to_in_one_round(
    issue: Issue, write_article: Callable[..., Any], settings: Any, limit: int
) -> None:
    write_article(issue=issue, en="Minsk looks east")
    relay = Relay(limit=limit)
    relay.delays["."] = 0.05
    url = f"smtp://127.0.0.1:{relay.port}?connections=8&timeout=5"
    mailing = sixty.prepare(issue, settings, url)
    try:
        sixty.send_what_is_due()

        assert sixty.fate(mailing) == sixty.EVERYBODY_GOT_IT
        assert Batch.objects.filter(round__gt=0).count() == 0
        addressed = Counter(str(message_from_bytes(each)["To"]) for each in relay.messages)
        assert set(addressed.values()) == {1}
        assert relay.most_at_once == limit
        assert relay.refused, "more were tried"
        refused = relay.refused
        [transport] = transports.configured()
        transport.close()
        relay.wait_until_idle()  # else a connection that is being closed still counts
        results = list(transport.send(transport.compile(make_email()), readers(30)))
        assert {each.result for each in results} == {Result.SENT}
        assert relay.refused == refused, "the number has been learned"
    finally:
        reset_transports()
        relay.close()
