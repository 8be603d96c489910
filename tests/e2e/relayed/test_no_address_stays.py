"""After a run with refusals that repeat the address, sign-ups and crashes, no reader's address is
in the database, the broker or a log (issue 2, 8; STANDARDS.md G1-G4, G8)."""

from __future__ import annotations

import os
import re
import time
import urllib.error
import urllib.request
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.cookiejar import CookieJar
from urllib.parse import quote, urlencode

import pytest

from newsletter.local import showing
from tests.e2e.conftest import Hidden
from tests.e2e.content import article, document
from tests.e2e.scan import BrokerRecord, database, logs, traces
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
DOMAIN = "hidden-mailbox.example"
SIGNED_UP = [f"Newcomer.Ala@{DOMAIN}", f"Newcomer.Later@{DOMAIN}"]
REFUSED = f"Newcomer.Gone@{DOMAIN}"
ADDED = [f"Reader.{name}@{DOMAIN}" for name in ("Ok+tag", "Gone", "Later", "Spam")]
SECRETS = [DOMAIN, *SIGNED_UP, REFUSED, *ADDED]
PLANTED = "Planted.Reader+x@planted-mailbox.example"


class Visitor:
    """A browser without scripts, of somebody who signs up."""

    def __init__(self, site: Site) -> None:
        self._url = site.url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        with self._opener.open(self._url + path, timeout=20) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> int:
        """The status of the page that follows."""
        try:
            with self._opener.open(
                self._url + path, urlencode(fields).encode(), timeout=20
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def sign_up(self, email: str) -> int:
        page = self.get("/en/subscribe/?newsletter=quiet")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        stamp = re.search(r'name="stamp" value="([^"]+)"', page)
        assert token
        assert stamp
        # A form that comes back at once is taken for a machine's (B4).
        time.sleep(2)
        return self.post(
            "/en/subscribe/",
            csrfmiddlewaretoken=token[1],
            newsletter="quiet",
            choices="en",
            stamp=stamp[1],
            email=email,
        )


def confirm(hidden: Hidden, visitor: Visitor, address: str) -> None:
    """Follow the link of the confirmation that the relay took."""
    (raw,) = eventually(
        lambda: hidden.relay.messages(address), seconds=60, what=f"the confirmation: {address}"
    )
    text = showing.text_of(message_from_bytes(raw, policy=policy.default))  # type: ignore[arg-type]
    link = re.search(r"/en/confirm/[^/\s]+/", text)
    assert link
    assert visitor.post(link[0]) == 200


def sign_ups(hidden: Hidden) -> None:
    visitor = Visitor(hidden.site)
    assert visitor.sign_up(f"{SIGNED_UP[0]}@") == 422
    for address in (*SIGNED_UP, REFUSED):
        assert visitor.sign_up(address) == 200
    for address in SIGNED_UP:
        confirm(hidden, visitor, address)


def send_out(hidden: Hidden) -> None:
    for address in ADDED:
        hidden.site.add_reader(address, "quiet", "en")
    hidden.site.run("send_issue", "quiet", "2021-03-01")
    eventually(lambda: hidden.relay.messages(ADDED[0]), seconds=20, what="the send-out begins")
    (finding,) = eventually(lambda: finished(hidden.site, "Quiet"), seconds=60, what="its end")
    assert finding["faults"] == []
    assert finding["readers"] == len(SIGNED_UP) + len(ADDED)
    assert (finding["sent"], finding["refused"] + finding["failed"]) == (4, 2)


def finished(site: Site, title: str) -> list[dict[str, object]]:
    """The send-out once it is finished; ticks, as beat does, so that nobody waits a minute."""
    site.shell("from newsletter.celery import app; app.send_task('delivery.tick')")
    return [finding for finding in site.audit(title) if finding["state"] == "finished"]


def crashes(site: Site) -> None:
    """A task that cannot run, and an arrival whose handling fails with the address at hand."""
    site.shell(
        "from newsletter.celery import app\n"
        "from subscribers.models import Inbox\n"
        "from subscribers.sealing import seal_arrival\n"
        f"sealed = seal_arrival({{'address': {ADDED[0]!r}, 'newsletter': 999999}})\n"
        "Inbox.objects.create(kind='sign-up', sealed=sealed.value, sealing_key=sealed.key)\n"
        "app.send_task('delivery.prepare', args=['no number'])\n"
    )
    for words in (b"postponed: DoesNotExist", b"expected a number but got 'no number'"):
        eventually(lambda said=words: said in logs(site), seconds=20, what=str(words))


@pytest.fixture
def broker(hidden: Hidden) -> Iterator[BrokerRecord]:
    with BrokerRecord(hidden.site.environment, hidden.site.var).kept() as record:
        yield record


def test_no_address_is_left_anywhere(hidden: Hidden, broker: BrokerRecord) -> None:
    site = hidden.site
    site.bring_in(document("quiet", {"2021-03-01": [article(en="Quiet times")]}))
    sign_ups(hidden)
    send_out(hidden)
    crashes(site)
    answered = hidden.relay.answered
    assert all(answered[code] for code in ("550", "451", "554")), answered
    for place, data in places(site, broker).items():
        assert len(data) > 1000, place
        assert traces(data, SECRETS) == [], place
    plant(site)
    for place, data in places(site, broker).items():
        assert traces(data, [PLANTED]), f"the scan does not find what is in the {place}"


def places(site: Site, broker: BrokerRecord) -> dict[str, bytes]:
    return {"database": database(site), "broker": broker.bytes(), "log": logs(site)}


def plant(site: Site) -> None:
    """An address where none may be: in a column, and in a task's arguments, which then is in the
    broker, and with the traceback in the log."""
    site.shell(
        "from newsletter.celery import app\n"
        "from newsletter.editorial.models import Newsletter\n"
        f"Newsletter.objects.filter(slug='quiet').update(reply_to={PLANTED!r})\n"
        f"app.send_task('delivery.prepare', args=[{PLANTED!r}])\n"
    )
    eventually(lambda: PLANTED.encode() in logs(site), seconds=20, what="the task's crash")


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("text", [PLANTED, PLANTED.lower(), PLANTED.upper()])
def test_the_scan_knows_every_shape(text: str, before: int) -> None:
    noise = os.urandom(before)
    raw = text.encode()
    shapes = [
        raw,
        raw.title(),
        b64encode(noise + raw + noise),
        urlsafe_b64encode(noise + raw + noise),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        quote(text).encode(),
        quote(text, safe="").encode(),
        "".join(f"%{byte:02X}" for byte in raw).encode(),
        text.encode("utf-16-le"),
    ]
    for shape in shapes:
        assert traces(noise + shape + noise, [PLANTED]), shape
        assert not traces(noise + shape + noise, ["Another.Reader@planted-elsewhere.example"])
