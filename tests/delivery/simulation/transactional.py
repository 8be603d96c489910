"""Simulate transactional emails on the real database, with the relay and faults of a test.

Each of some readers who signed up is sent a confirmation, by the outbox's own drain and rescue.
`TransactionalSimulation.check` compares the relay's record with the emails' states.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Outcome
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.sending import protocol, rescue, sender
from newsletter.delivery.transactional import outbox
from newsletter.transport.outcomes import Result
from subscribers.models import TransactionalEmail
from tests.delivery.conftest import end_pauses
from tests.delivery.simulation.base import Fault, InvariantError, ProcessKilled, Simulation
from tests.delivery.simulation.relay import Relay

State = TransactionalEmail.State
UNFINISHED = [State.QUEUED, State.CLAIMED, State.SENDING]


class TransactionalSimulation(Simulation):
    """Runs one state after another of the same emails; `restore` prepares each."""

    tables: tuple[str, ...] = ("subscribers_transactionalemail", "delivery_transportstate")

    def __init__(self) -> None:
        super().__init__()
        self.readers = list(
            TransactionalEmail.objects.order_by("pk").values_list("subscriber_id", flat=True)
        )
        self.relay = Relay(self)

    def restore(self, *faults: tuple[int, Fault]) -> None:
        connection.close()
        with transaction.atomic():
            self.restore_rows()
        self.reset(faults)
        self.relay = Relay(self)

    def expire_leases(self) -> None:
        TransactionalEmail.objects.filter(lease_until__isnull=False).update(
            lease_until=Now() - timedelta(seconds=1)
        )

    def start_another_worker(self) -> None:
        """Let another worker hand over an email that the stalled one left.

        It is killed after the relay accepted the message, before it sees the reply.
        """
        outbox.rescue()
        self._all_due()
        end_pauses()
        self.incidents += 1
        accepted = self.relay.accepted
        before = len(accepted)

        def die_once_accepted() -> None:
            if len(accepted) > before:
                raise ProcessKilled

        self.relay.on_accept = die_once_accepted
        try:
            outbox.drain()
        except ProcessKilled:
            pass
        finally:
            self.relay.on_accept = lambda: None

    def work_once(self) -> bool:
        with self.unobserved():
            self._all_due()
            end_pauses()
        if outbox.drain(stop=lambda: self.stop_requested):
            self._check_sigterm()
            return True
        with self.unobserved():
            self.expire_leases()
        outbox.rescue()
        self._check_sigterm()
        with self.unobserved():
            return TransactionalEmail.objects.filter(state__in=UNFINISHED).exists()

    def check(self) -> None:
        record_states = dict(TransactionalEmail.objects.values_list("subscriber_id", "state"))
        accepted = Counter(subscriber for subscriber, _ in self.relay.accepted)
        sent = {reader for reader, state in record_states.items() if state == State.SENT}
        doubt = {reader for reader, state in record_states.items() if state == State.UNKNOWN}
        lost = {
            reader for reader in self.readers if record_states.get(reader) in [None, *UNFINISHED]
        }
        problems = {
            "sent twice": {reader for reader, times in accepted.items() if times > 1},
            "lost": lost,
            "recorded as sent, but not accepted": sent - set(accepted),
            "accepted outside the declared doubt": set(accepted) - sent - doubt,
        }
        for problem, readers in problems.items():
            if readers:
                raise InvariantError(f"{problem}: {sorted(readers)}")
        if len(doubt) > self.incidents + self.relay.unanswered:
            raise InvariantError(f"{len(doubt)} in doubt after {self.incidents} incidents")

    def _all_due(self) -> None:
        TransactionalEmail.objects.filter(state=State.QUEUED).update(due_at=Now())

    def _check_sigterm(self) -> None:
        """After SIGTERM only the email in flight is sent."""
        if self.sigterm_at is not None:
            later = [step for _, step in self.relay.accepted if step > self.sigterm_at]
            if len(later) > 1:
                raise InvariantError(f"{len(later)} emails after SIGTERM")
        self.stop_requested, self.sigterm_at = False, None


class LatestIssueSimulation(TransactionalSimulation):
    """Emails that each become a batch of one: the latest issue, for a reader who asked for it."""

    tables: tuple[str, ...] = (
        "delivery_release",
        "delivery_mailing",
        "delivery_edition",
        "delivery_batch",
        "delivery_releaserecipient",
        "delivery_outcome",
        "subscribers_transactionalemail",
        "delivery_transportstate",
    )

    def expire_leases(self) -> None:
        super().expire_leases()
        Batch.objects.filter(state=Batch.State.CLAIMED).update(
            lease_until=Now() - timedelta(seconds=1)
        )

    def work_once(self) -> bool:
        with self.unobserved():
            Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
            end_pauses()
        for batch in protocol.due_batches(1):
            return sender.send_batch(batch)
        more = super().work_once()
        rescue.rescue_batches()
        rescue.finish_mailings()
        with self.unobserved():
            return more or Batch.objects.exclude(state=Batch.State.CLOSED).exists()

    def check(self) -> None:
        """Compare the relay's record with the outcomes of the batches of one."""
        accepted = Counter(subscriber for subscriber, _ in self.relay.accepted)
        results = {
            result: set(readers.values_list("subscriber_id", flat=True))
            for result in (Result.SENT, Result.UNKNOWN)
            for readers in [Outcome.objects.filter(result=result)]
        }
        sent, doubt = results[Result.SENT], results[Result.UNKNOWN]
        if max(accepted.values(), default=0) > 1:
            raise InvariantError("sent twice")
        if sent | doubt != set(self.readers) or not sent <= set(accepted) <= sent | doubt:
            sets = f"sent {sent}, in doubt {doubt}, accepted {set(accepted)}"
            raise InvariantError(f"lost: {sets}")
        if len(doubt) > self.incidents:
            raise InvariantError(f"{len(doubt)} in doubt after {self.incidents} incidents")
        if TransactionalEmail.objects.filter(state__in=UNFINISHED).exists():
            raise InvariantError("an email is never finished")
        for finding in audit():
            if finding.faults:
                raise InvariantError("; ".join(finding.faults))
