"""A mailing through a slow relay doesn't delay confirmations: single emails go ahead of bulk."""

from __future__ import annotations

import urllib.request
from urllib.parse import urlencode

import pytest

from tests.e2e.conftest import RelayedSite
from tests.e2e.content import article, document
from tests.e2e.site import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
DOMAIN, READERS = "slow.example", 400
NEWCOMER = "newcomer@hurry.example"


def test_a_confirmation_is_sent_during_a_mailing(relayed: RelayedSite) -> None:
    site, relay = relayed.site, relayed.relay
    site.import_document(document("slow", {"2021-04-05": [article(en="Taking its time")]}))
    site.add_readers("slow", f"reader{{0}}@{DOMAIN}", READERS)
    relay.pause = 0.8
    try:
        site.run("send_issue", "slow", "2021-04-05")
        eventually(lambda: relay.recipients(DOMAIN), seconds=30, what="the mailing starts")
        form = urlencode({"email": NEWCOMER}).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{site.url}/en/embed/slow/", form, {"Accept": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            assert response.status == 202
        eventually(lambda: relay.messages(NEWCOMER), seconds=40, what="the confirmation")
        sent = len(relay.recipients(DOMAIN))
        assert sent < READERS, "the confirmation came after the mailing"
    finally:
        relay.pause = 0.0
    eventually(lambda: len(relay.recipients(DOMAIN)) == READERS, seconds=60, what="all are sent")
