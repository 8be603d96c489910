"""Rotate every key while an issue is sent and readers are erased.

    READERS=100000 .venv/bin/python benchmarks/rotation.py

Uses the empty database in DATABASE_URL, or SQLite in a temporary folder. Two workers send to a
relay that records every recipient, while `keys rotate --wait` runs and one reader in 500 is erased.
At the end the relay's record is compared with the report. Exits with status 1 if anything doesn't
match.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
READERS = int(os.environ.get("READERS", "100000"))
WORKERS = 2
ERASED = max(READERS // 500, 1)


def set_up(var: Path) -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    os.environ["VAR_DIR"] = str(var)
    import django

    django.setup()


def write_newsroom() -> Any:
    from newsletter.editorial import workflow
    from newsletter.editorial.models import (
        Article,
        ArticleTranslation,
        Issue,
        Newsletter,
        NewsletterTranslation,
        Newsroom,
        NewsroomTranslation,
    )

    room = Newsroom.objects.create()
    NewsroomTranslation.objects.create(newsroom=room, language="en", name="Week in View")
    newsletter = Newsletter.objects.create(
        slug="weekly",
        languages=["en"],
        choices=[{"label": "EN", "languages": ["en"]}],
        sender_address="desk@news.example.org",
        time="09:00",
    )
    NewsletterTranslation.objects.create(newsletter=newsletter, language="en", name="Week in View")
    issue = Issue.objects.create(
        newsletter=newsletter,
        starts_on=date(2017, 7, 24),
        ends_on=date(2017, 7, 30),
    )
    article = Article.objects.create(
        newsletter=newsletter,
        issue=issue,
        published_at=datetime(2017, 8, 1, tzinfo=UTC),
        original_language="en",
        position=0,
    )
    ArticleTranslation.objects.create(
        article=article,
        language="en",
        headline="Minsk looks east",
        slug="minsk",
        lead="A lead.",
        body="<p>A text.</p>",
        state=ArticleTranslation.State.READY,
    )
    workflow.approve(issue, by=None)
    return issue


def add_readers(newsletter: Any) -> None:
    import uuid

    from subscribers.addresses import parse_stored
    from subscribers.crypto.sealing import address_hash, seal_address
    from subscribers.models import Subscriber, Subscription

    def reader(number: int) -> Subscriber:
        address, public_id = parse_stored(f"r{number}@readers.example"), uuid.uuid4()
        sealed, hashed = seal_address(address, public_id), address_hash(address)
        return Subscriber(
            public_id=public_id,
            sealed_address=sealed.data,
            storage_key=sealed.key_number,
            address_hash=hashed.digest,
            address_hash_key=hashed.key_number,
            language="en",
        )

    for start in range(0, READERS, 5000):
        portion = range(start, min(start + 5000, READERS))
        made = Subscriber.objects.bulk_create(map(reader, portion), batch_size=500)
        Subscription.objects.bulk_create(
            [
                Subscription(
                    subscriber=each, newsletter=newsletter, languages=("en",), state="active"
                )
                for each in made
            ],
            batch_size=500,
        )


def work(record: Path, mailing_id: int) -> None:
    """Run a worker that sends due batches until the mailing has ended."""
    from newsletter.delivery.models import Mailing
    from newsletter.delivery.sending import protocol, transports
    from newsletter.delivery.sending.sender import send_batch
    from newsletter.transport.base import Transport, never_stop
    from newsletter.transport.outcomes import Email, Recipient, Result, SendResult

    with record.open("w", encoding="ascii") as file:

        class Relay(Transport[Email]):
            name = "recording"

            def compile(self, email: Email) -> Email:
                return email

            def send(
                self,
                compiled: Email,
                recipients: Iterable[Recipient],
                *,
                stop: Callable[[], bool] = never_stop,
                max_pending: Callable[[], int] | None = None,
            ) -> Generator[SendResult, None, None]:
                for recipient in recipients:
                    file.write(f"{recipient.address}\n")
                    yield SendResult(recipient.position, Result.SENT)

            def close(self) -> None:
                file.flush()

        relay = Relay()
        transports.configured = lambda: (relay,)
        while Mailing.objects.filter(pk=mailing_id, state=Mailing.State.SENDING).exists():
            due = protocol.due_batches(1 + 8 * WORKERS)
            if not due:
                time.sleep(0.05)
            else:
                send_batch(random.choice(due))  # noqa: S311


def erase_some() -> float:
    """Erase readers at random; return the seconds that one took."""
    from subscribers import personal_data
    from subscribers.models import Subscriber

    ids = list(Subscriber.objects.values_list("pk", flat=True))
    began = time.monotonic()
    for pk in random.sample(ids, ERASED):
        personal_data.erase(Subscriber.objects.get(pk=pk))
    return (time.monotonic() - began) / ERASED


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        subprocess.run(
            [sys.executable, "manage.py", "keys", "new", "--no-recovery"],
            cwd=ROOT,
            env={**os.environ, "VAR_DIR": folder},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        set_up(var)
        return run(var)


def run(var: Path) -> int:
    from django.core.management import call_command
    from django.db import connection

    from newsletter.delivery.models import Mailing
    from newsletter.delivery.planning import snapshot, start
    from subscribers.models import Subscriber

    call_command("migrate", verbosity=0)
    if Subscriber.objects.exists():
        raise SystemExit("The database is not empty.")
    issue = write_newsroom()
    add_readers(issue.newsletter)
    mailing = snapshot.prepare(start.send_now(issue, by=None).pk)
    assert mailing.state == Mailing.State.SENDING  # noqa: S101
    began = time.monotonic()
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, "work", str(var), str(var / f"relay{n}"), str(mailing.pk)]
        )
        for n in range(WORKERS)
    ]
    time.sleep(1.5)
    print(f"{connection.vendor}, {READERS} readers, {WORKERS} workers sending")
    eraser = subprocess.Popen([sys.executable, __file__, "erase", str(var)])
    call_command("keys", "rotate", "--wait", "--no-recovery")
    rotated = time.monotonic() - began
    statuses = [each.wait() for each in [*workers, eraser]]
    sent = time.monotonic() - began
    print(f"rotated {rotated:.0f} s after the workers started, sent after {sent:.0f} s")
    return report(var, mailing, statuses)


def report(var: Path, mailing: Any, statuses: list[int]) -> int:
    from newsletter.delivery.oversight.audit import audit
    from subscribers.crypto import rotation
    from subscribers.models import Subscriber

    got = [line for n in range(WORKERS) for line in (var / f"relay{n}").read_text().splitlines()]
    [finding] = audit(mailing.pk)
    print(f"report: {finding.report.as_dict()}; faults: {finding.faults or 'none'}")
    checks = {
        "every process succeeded": not any(statuses),
        "nobody got it twice": len(got) == len(set(got)),
        "the relay's record matches the report": len(got) == finding.report.sent,
        "no reader is missing": finding.report.sent + finding.report.skipped == READERS,
        "only erased readers were skipped": finding.report.skipped <= ERASED,
        "the audit balances": not finding.faults,
        "no row has an old key": not Subscriber.objects.exclude(
            storage_key=2, address_hash_key=2
        ).exists()
        and not rotation.remaining(),
        "the requested number was erased": Subscriber.objects.count() == READERS - ERASED,
    }
    for name, holds in checks.items():
        print(f"{'yes' if holds else 'NO '}  {name}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["work", folder, record, mailing_id]:
            set_up(Path(folder))
            work(Path(record), int(mailing_id))
        case ["erase", folder]:
            set_up(Path(folder))
            print(f"{ERASED} readers erased, {erase_some() * 1000:.0f} ms each")
        case _:
            sys.exit(main())
