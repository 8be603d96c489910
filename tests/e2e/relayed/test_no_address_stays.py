"""No reader's address is left in the database, a backup, the broker, a log, a file or a desk page
(P3, G1–G5, G8).

The run before the scan has refusals that repeat the address, sign-ups, uploads, a provider's
webhooks, bounces and other email, crashes and an export.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import time
import urllib.error
import urllib.request
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.cookiejar import CookieJar
from urllib.parse import quote, urlencode

import idna
import pytest
from pyrage.x25519 import Identity

from newsletter.local import message_view
from tests.e2e import feedback
from tests.e2e.conftest import RelayedSite
from tests.e2e.content import article, document
from tests.e2e.scan import BrokerRecord, Desk, TemporaryFiles, backup, database, files, logs
from tests.e2e.shapes import ENCODERS, traces
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
DOMAIN = "hidden-mailbox.example"
SUBSCRIBED = [f"Newcomer.Ala@{DOMAIN}", f"Newcomer.Later@{DOMAIN}"]
REFUSED = f"Newcomer.Gone@{DOMAIN}"
ADDED = [f"Reader.{name}@{DOMAIN}" for name in ("Ok+tag", "Gone", "Later", "Spam")]
ABROAD = "Reader.Abroad@Схаваная-пошта.example"
SECRETS = [DOMAIN, *SUBSCRIBED, REFUSED, *ADDED, ABROAD, ABROAD.rpartition("@")[2]]
PLANTED = "Planted.Reader+x@planted-mailbox.example"
PLANTS = {
    name: (f"Planted.{number}+x@mailbox{number}.planted.example", write)
    for number, (name, write) in enumerate(ENCODERS.items())
}
"""Name of an encoding -> an address planted in that encoding only, and the encoder."""


class Visitor:
    """The browser, without scripts, of somebody who signs up."""

    def __init__(self, site: Site) -> None:
        self._url = site.url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        with self._opener.open(self._url + path, timeout=20) as response:
            return str(response.read().decode())

    def post(self, path: str, **fields: str) -> int:
        """Post a form and return the status of the page that follows."""
        try:
            with self._opener.open(
                self._url + path, urlencode(fields).encode(), timeout=20
            ) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def upload(self, path: str, content: str) -> int:
        """Post a form with a file and return the status."""
        head = 'Content-Disposition: form-data; name="file"; filename="readers.csv"'
        body = f"--x\r\n{head}\r\nContent-Type: text/csv\r\n\r\n{content}\r\n--x--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        request = urllib.request.Request(self._url + path, body.encode(), kind)  # noqa: S310
        try:
            with self._opener.open(request, timeout=60) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def sign_up(self, email: str) -> int:
        page = self.get("/en/subscribe/?newsletter=quiet")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        stamp = re.search(r'name="stamp" value="([^"]+)"', page)
        assert token
        assert stamp
        # A form that comes back at once is taken for a bot's (B4).
        time.sleep(2)
        return self.post(
            "/en/subscribe/",
            csrfmiddlewaretoken=token[1],
            newsletter="quiet",
            choices="en",
            stamp=stamp[1],
            email=email,
        )


def confirm(relayed: RelayedSite, visitor: Visitor, address: str) -> None:
    """Confirm with the link in the email that the relay accepted."""
    (raw,) = eventually(
        lambda: relayed.relay.messages(address), seconds=60, what=f"the confirmation: {address}"
    )
    text = message_view.plain_text(message_from_bytes(raw, policy=policy.default))
    link = re.search(r"/en/confirm/[^/\s]+/", text)
    assert link
    assert visitor.post(link[0]) == 200


def sign_ups(relayed: RelayedSite) -> None:
    visitor = Visitor(relayed.site)
    assert visitor.sign_up(f"{SUBSCRIBED[0]}@") == 422
    million = f"{SUBSCRIBED[0]}," * (10_000_000 // len(SUBSCRIBED[0]))
    assert visitor.post("/en/embed/quiet/", email=million) == 400
    assert visitor.upload("/en/embed/quiet/", million) == 400
    assert visitor.get(f"/en/?q={quote(SUBSCRIBED[0])}")
    for address in (*SUBSCRIBED, REFUSED):
        assert visitor.sign_up(address) == 200
    for address in SUBSCRIBED:
        confirm(relayed, visitor, address)


def send_mailing(relayed: RelayedSite) -> None:
    for address in (*ADDED, ABROAD):
        relayed.site.add_reader(address, "quiet", "en")
    relayed.site.run("send_issue", "quiet", "2021-03-01")
    eventually(lambda: relayed.relay.messages(ADDED[0]), seconds=20, what="the mailing starts")
    (finding,) = eventually(
        lambda: finished(relayed.site, "Quiet"), seconds=60, what="the mailing is finished"
    )
    assert finding["faults"] == []
    assert finding["readers"] == len(SUBSCRIBED) + len(ADDED) + 1
    assert (finding["sent"], finding["refused"] + finding["failed"]) == (5, 2)


def finished(site: Site, title: str) -> list[dict[str, object]]:
    """Trigger a tick, and return the mailing if it is finished."""
    site.shell("from newsletter.celery import app; app.send_task('delivery.tick')")
    return [finding for finding in site.audit(title) if finding["state"] == "finished"]


def report_back(relayed: RelayedSite) -> None:
    """Let a provider and mail servers report about two readers."""
    site = relayed.site
    for address, report in (
        (ADDED[0], feedback.report_by_webhook),
        (ADDED[2], feedback.report_by_mail),
    ):
        report(site, address, relayed.relay.messages(address)[0])
    reported = (
        "from newsletter.delivery.models import Event, Mailing\n"
        "from subscribers.models import Intake\n"
        "mailing = Mailing.objects.get(release__newsletter__slug='quiet')\n"
        "events = Event.objects.filter(mailing_id=mailing.pk)\n"
        "events = events.filter(transport__in=['mail', 'postmark'])\n"
        "print(*sorted(events.values_list('transport', flat=True)),"
        " Intake.objects.filter(attempts=0).count())"
    )
    # The POST that was cut off is kept, sealed, and tried again later.
    everything = "mail postmark 0"
    eventually(lambda: site.shell(reported) == everything, seconds=60, what=everything)


def cause_crashes(site: Site) -> None:
    """Queue a task that can't run and an intake row whose processing fails."""
    site.shell(
        "from newsletter.celery import app\n"
        "from subscribers.models import Intake\n"
        "from subscribers.crypto.sealing import seal_intake\n"
        f"sealed = seal_intake({{'address': {ADDED[0]!r}, 'newsletter': 999999}})\n"
        "Intake.objects.create(kind='sign-up', sealed=sealed.data, sealing_key=sealed.key_number)\n"
        "app.send_task('delivery.prepare', args=['no number'])\n"
    )
    messages = (b"reason=DoesNotExist", b"expected a number but got 'no number'")
    eventually(
        lambda: all(message in logs(site) for message in messages),
        seconds=20,
        what=f"the log has {messages}",
    )


def export(site: Site) -> None:
    """Export the readers, encrypted for two people, into the site's folder."""
    keys = [str(Identity.generate().to_public()) for _ in range(2)]
    site.environment["EXPORT_RECIPIENTS"] = ",".join(keys)
    site.run("export_readers", "quiet", "--to", str(site.var / "readers.age"))
    # The error for an unknown newsletter must not repeat the address.
    site.run("add_reader", ADDED[0], "--newsletter", "none", "--languages", "en", status=1)


@pytest.fixture
def broker(relayed: RelayedSite) -> Iterator[BrokerRecord]:
    with BrokerRecord(relayed.site.environment, relayed.site.var).recording() as record:
        yield record


@pytest.fixture
def temporary(relayed: RelayedSite) -> Iterator[TemporaryFiles]:
    with TemporaryFiles(relayed.site.temporary).recording() as record:
        yield record


def test_no_address_is_left_anywhere(
    relayed: RelayedSite, broker: BrokerRecord, temporary: TemporaryFiles
) -> None:
    site = relayed.site
    site.import_document(document("quiet", {"2021-03-01": [article(en="Quiet times")]}))
    sign_ups(relayed)
    send_mailing(relayed)
    report_back(relayed)
    cause_crashes(site)
    export(site)
    answered = relayed.relay.error_codes
    assert all(answered[code] for code in ("550", "451", "554")), answered
    for place, data in places(site, broker, temporary).items():
        assert traces(data, SECRETS) == [], place
    plant(site)
    for place, data in places(site, broker, temporary).items():
        found = " ".join(traces(data, [address for address, _write in PLANTS.values()]))
        missed = [shape for shape, (address, _write) in PLANTS.items() if address not in found]
        assert not missed, f"the scan of the {place} misses some shapes"


def places(site: Site, broker: BrokerRecord, temporary: TemporaryFiles) -> dict[str, bytes]:
    pages = Desk(site).pages("newcomer")
    for seen in ("subscriber", "subscription", "mailing", "export", "newsroom"):
        assert any(re.search(rf"/{seen}/\d+/", path) for path in pages), seen
    assert "/admin/subscribers/subscriber/?q=" in pages
    return {
        "database": database(site),
        "backup": backup(site),
        "broker": broker.bytes(),
        "log": logs(site),
        "files": files(site),
        "temporary files": temporary.bytes(),
        "desk": "\n".join(f"{path}\n{page}" for path, page in pages.items()).encode(),
    }


def plant(site: Site) -> None:
    """Addresses where none may be, each in a different shape: in a column, and in a task's
    arguments, which then are in the broker, and with the traceback in the log; and in files."""
    written = "\n".join(write(address) for address, write in PLANTS.values())
    site.shell(
        "from newsletter.celery import app\n"
        "from newsletter.editorial.models import NewsroomTranslation\n"
        f"NewsroomTranslation.objects.update(about={written!r})\n"
        f"app.send_task('delivery.prepare', args=[{written!r}])\n"
    )
    (site.temporary / "upload").write_text(written)
    (site.var / "run" / "left").write_text(written)
    last = list(PLANTS.values())[-1][0][::-1].encode()
    eventually(lambda: last in logs(site), seconds=20, what="the task's crash")


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("text", [PLANTED, PLANTED.lower(), PLANTED.upper()])
def test_the_scan_detects_every_encoding(text: str, before: int) -> None:
    # An equals sign right before quoted-printable would change what it says.
    noise = os.urandom(before).replace(b"=", b"-")
    raw = text.encode()
    shapes = [
        *(write(text).encode() for write in ENCODERS.values()),
        raw.title(),
        b64encode(noise + raw + noise),
        urlsafe_b64encode(noise + raw + noise),
        encodebytes(noise + raw * 3 + noise),
        quote(text).encode(),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        gzip.compress(noise + raw),
        b64encode(b'{"args": ["' + raw + b'"]}' + b" " * 40),
    ]
    for shape in shapes:
        assert traces(noise + shape + noise, [PLANTED]), shape
        assert not traces(noise + shape + noise, ["Another.Reader@planted-elsewhere.example"])


@pytest.mark.parametrize("text", [ABROAD, "a@xn--80aaa1bcb2c3d.example", "Пошта.example"])
def test_the_scan_detects_both_forms_of_a_domain(text: str) -> None:
    local, at, domain = text.rpartition("@")
    other = (
        idna.encode(domain, uts46=True).decode() if not domain.isascii() else idna.decode(domain)
    )
    for spelling in (text, text.lower(), text.upper(), local + at + other):
        for data in (
            spelling.encode(),
            spelling.encode("utf-16-le"),
            quote(spelling).encode(),
            json.dumps(spelling.lower()).encode(),
            b64encode(spelling.encode()),
            spelling.encode().hex().encode(),
        ):
            assert traces(b"x" + data + b"x", [text]), data
