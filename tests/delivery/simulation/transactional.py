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
from tests.delivery.simulation.relay import Relay
from tests.delivery.simulation.stepping import Fault, InvariantError, Killed, Stepped

State = TransactionalEmail.State
UNDER_WAY = [State.QUEUED, State.CLAIMED, State.SENDING]


class Mailroom(Stepped):
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
            self.give_back()
        self.begin_anew(faults)
        self.relay = Relay(self)

    def expire(self) -> None:
        TransactionalEmail.objects.filter(lease_until__isnull=False).update(
            lease_until=Now() - timedelta(seconds=1)
        )

    def others_begin(self) -> None:
        """Another worker takes up what the lost one left, hands one over, and is as yet without
        an answer; it never comes back."""
        outbox.rescue()
        self._all_due()
        self.incidents += 1
        taken = self.relay.accepted
        before = len(taken)
        self.relay.after_taking = lambda: _die(len(taken) > before)
        try:
            outbox.drain()
        except Killed:
            pass
        finally:
            self.relay.after_taking = lambda: None

    def work(self) -> bool:
        with self.unwatched():
            self._all_due()
        if outbox.drain(stop=lambda: self.stopping):
            self._stopped()
            return True
        with self.unwatched():
            self.expire()
        outbox.rescue()
        self._stopped()
        with self.unwatched():
            return TransactionalEmail.objects.filter(state__in=UNDER_WAY).exists()

    def check(self) -> None:
        states = dict(TransactionalEmail.objects.values_list("subscriber_id", "state"))
        taken = Counter(subscriber for subscriber, _ in self.relay.accepted)
        known = {reader for reader, state in states.items() if state == State.SENT}
        doubt = {reader for reader, state in states.items() if state == State.UNKNOWN}
        forgotten = {reader for reader in self.readers if states.get(reader) in [None, *UNDER_WAY]}
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

    def _stopped(self) -> None:
        """SIGTERM ends the letter that is in flight, and begins no other."""
        if self.term_at is not None:
            since = [at for _, at in self.relay.accepted if at > self.term_at]
            if len(since) > 1:
                raise InvariantError(f"{len(since)} letters after SIGTERM")
        self.stopping, self.term_at = False, None


class Welcomes(Mailroom):
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

    def expire(self) -> None:
        super().expire()
        Batch.objects.filter(state=Batch.State.CLAIMED).update(
            lease_until=Now() - timedelta(seconds=1)
        )

    def work(self) -> bool:
        with self.unwatched():
            Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
        for batch in protocol.due_batches(1):
            return sender.send_batch(batch)
        going_on = super().work()
        rescue.rescue_batches()
        rescue.finish_mailings()
        with self.unwatched():
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
        if TransactionalEmail.objects.filter(state__in=UNDER_WAY).exists():
            raise InvariantError("a letter waits for ever")
        for finding in audit():
            if finding.faults:
                raise InvariantError("; ".join(finding.faults))


def _die(now: bool) -> None:  # noqa: FBT001 - of a lambda
    if now:
        raise Killed
