"""A running site sends the scheduled issue automatically and once (E1, E2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.editorial.schedule import monday_of
from tests.e2e.content import article, document
from tests.e2e.site import Site, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.server]
ZONE = "Europe/Minsk"
READERS = ("en@clockwork.example", "be@clockwork.example")
LEAD_TIME = timedelta(seconds=45)
"""Beat ticks once a minute, so the issue goes out up to a minute after it is due."""


@dataclass(frozen=True)
class Plan:
    due: datetime


@pytest.fixture(scope="session")
def clockwork(site: Site) -> Plan:
    """A newsletter whose next mailing is due in about a minute."""
    due = (datetime.now(UTC) + LEAD_TIME).astimezone(ZoneInfo(ZONE))
    week = monday_of(due.date()) - timedelta(days=7)
    issue = {week.isoformat(): [article(en="Clockwork", be="Як гадзіннік")]}
    clockwork_document = document("clockwork", issue)
    # By default it is published on the morning after its week, which may be later than now.
    clockwork_document["issues"][0]["articles"][0]["published_at"] = f"{week}T12:00:00+03:00"
    site.import_document(clockwork_document)
    for address, languages in zip(READERS, ("en", "be,ru"), strict=True):
        site.add_reader(address, "clockwork", languages)
    site.shell(
        "from datetime import time\n"
        "from newsletter.editorial.models import Newsletter\n"
        "newsletter = Newsletter.objects.get(slug='clockwork')\n"
        f"newsletter.weekday, newsletter.timezone = {due.weekday()}, '{ZONE}'\n"
        f"newsletter.time = time({due.hour}, {due.minute}, {due.second})\n"
        "newsletter.schedule_active = True\n"
        "newsletter.save()\n"
    )
    assert not site.emails(READERS[0])
    return Plan(due)


@pytest.mark.early
def test_nothing_goes_out_before_its_time(site: Site, clockwork: Plan) -> None:
    sent = site.emails(READERS[0])
    assert not sent or datetime.now(UTC) >= clockwork.due


@pytest.mark.waits
def test_the_digest_goes_out_automatically_and_once(site: Site, clockwork: Plan) -> None:
    eventually(
        lambda: all(site.emails(address) for address in READERS),
        seconds=(clockwork.due - datetime.now(UTC)).total_seconds() + 90,
        what="the scheduled issue",
    )
    # Further ticks must send nothing more.
    site.shell(
        "from newsletter.celery import app\n"
        "for _ in range(5):\n"
        "    app.send_task('delivery.tick')\n"
    )
    (finding,) = eventually(
        lambda: [f for f in site.audit("Clockwork") if f["state"] == "finished"],
        seconds=20,
        what="the mailing is finished",
    )
    assert (finding["readers"], finding["sent"], finding["faults"]) == (2, 2, [])
    for address in READERS:
        (email,) = site.emails(address)
        assert email["Date"].datetime >= clockwork.due
