"""Letters on their way, on the real database, with a relay and deaths that a test decides.

What is sent is a confirmation for each of some readers who signed up; production's own drain and
rescue do it. `Mailroom.check` holds the relay's record against the letters' states.
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
from tests.delivery.simulation.base import Fault, InvariantError, ProcessKilled, Simulation
from tests.delivery.simulation.relay import Relay

State = TransactionalEmail.State
UNFINISHED = [State.QUEUED, State.CLAIMED, State.SENDING]


class TransactionalSimulation(Simulation):
    """One state after another of the same letters; `restore` begins each anew."""

    tables = ("subscribers_transactionalemail",)

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
        """Another worker takes up what the lost one left, hands one over, and is as yet without
        an answer; it never comes back."""
        outbox.rescue()
        self._all_due()
        self.incidents += 1
        taken = self.relay.accepted
        before = len(taken)
        self.relay.on_accept = lambda: _die(len(taken) > before)
        try:
            outbox.drain()
        except ProcessKilled:
            pass
        finally:
            self.relay.on_accept = lambda: None

    def work(self) -> bool:
        with self.unobserved():
            self._all_due()
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
        taken = Counter(subscriber for subscriber, _ in self.relay.accepted)
        known = {reader for reader, state in record_states.items() if state == State.SENT}
        doubt = {reader for reader, state in record_states.items() if state == State.UNKNOWN}
        forgotten = {
            reader for reader in self.readers if record_states.get(reader) in [None, *UNFINISHED]
        }
        problems = {
            "sent twice": {reader for reader, times in taken.items() if times > 1},
            "forgotten": forgotten,
            "said to be sent, but not accepted": known - set(taken),
            "accepted outside the declared doubt": set(taken) - known - doubt,
        }
        for problem, readers in problems.items():
            if readers:
                raise InvariantError(f"{problem}: {sorted(readers)}")
        if len(doubt) > self.incidents + self.relay.unanswered:
            raise InvariantError(f"{len(doubt)} in doubt after {self.incidents} incidents")

    def _all_due(self) -> None:
        TransactionalEmail.objects.filter(state=State.QUEUED).update(due_at=Now())

    def _check_sigterm(self) -> None:
        """SIGTERM ends the letter that is in flight, and begins no other."""
        if self.sigterm_at is not None:
            since = [at for _, at in self.relay.accepted if at > self.sigterm_at]
            if len(since) > 1:
                raise InvariantError(f"{len(since)} letters after SIGTERM")
        self.stop_requested, self.sigterm_at = False, None


class LatestIssueSimulation(TransactionalSimulation):
    """Letters that each become a batch of one: the latest issue, for a reader who asked for it."""

    tables = (
        "delivery_release",
        "delivery_mailing",
        "delivery_edition",
        "delivery_batch",
        "delivery_releaserecipient",
        "delivery_outcome",
        "subscribers_transactionalemail",
    )

    def expire_leases(self) -> None:
        super().expire_leases()
        Batch.objects.filter(state=Batch.State.CLAIMED).update(
            lease_until=Now() - timedelta(seconds=1)
        )

    def work(self) -> bool:
        with self.unobserved():
            Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
        for batch in protocol.due_batches(1):
            return sender.send_batch(batch)
        going_on = super().work()
        rescue.rescue_batches()
        rescue.finish_mailings()
        with self.unobserved():
            return going_on or Batch.objects.exclude(state=Batch.State.CLOSED).exists()

    def check(self) -> None:
        """The letter says whether it became a batch, the account what became of that."""
        taken = Counter(subscriber for subscriber, _ in self.relay.accepted)
        results = {
            result: set(readers.values_list("subscriber_id", flat=True))
            for result in (Result.SENT, Result.UNKNOWN)
            for readers in [Outcome.objects.filter(result=result)]
        }
        known, doubt = results[Result.SENT], results[Result.UNKNOWN]
        if max(taken.values(), default=0) > 1:
            raise InvariantError("sent twice")
        if known | doubt != set(self.readers) or not known <= set(taken) <= known | doubt:
            sets = f"sent {known}, in doubt {doubt}, accepted {set(taken)}"
            raise InvariantError(f"forgotten: {sets}")
        if len(doubt) > self.incidents:
            raise InvariantError(f"{len(doubt)} in doubt after {self.incidents} incidents")
        if TransactionalEmail.objects.filter(state__in=UNFINISHED).exists():
            raise InvariantError("a letter waits for ever")
        for finding in audit():
            if finding.faults:
                raise InvariantError("; ".join(finding.faults))


def _die(now: bool) -> None:  # noqa: FBT001 - of a lambda
    if now:
        raise ProcessKilled
