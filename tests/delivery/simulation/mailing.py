"""A send-out on the real database, with a relay, a clock and deaths that a test decides.

Everything of production runs as it is: planner, sender, rescue. Leases run out and batches fall
due because their times are moved back in the database. `World.check` holds the relay's own record
against the account.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from newsletter.delivery.models import Batch, Mailing, Outcome
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.planning import dispatch
from newsletter.delivery.sending import protocol, rescue, sender
from newsletter.delivery.sending.packing import unpack
from newsletter.transport.outcomes import Result
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.delivery.simulation.base import Fault, InvariantError, Simulation
from tests.delivery.simulation.relay import Relay


class MailingSimulation(Simulation):
    """One state after another of the same frozen mailing; `restore` begins each anew."""

    tables = (
        "delivery_mailing",
        "delivery_edition",
        "delivery_batch",
        "delivery_releaserecipient",
        "delivery_outcome",
    )

    def __init__(self, mailing: Mailing, subscriptions: list[Subscription]) -> None:
        super().__init__()
        self.mailing, self.subscriptions = mailing, subscriptions
        self.unsubscribed_at: dict[int, int] = {}
        """subscriber -> the step at which their unsubscription was answered"""
        self.second_reads: defaultdict[int, list[int]] = defaultdict(list)
        self.paused_at: int | None = None
        self.relay = Relay(self)

    def restore(
        self, *faults: tuple[int, Fault], window: int | None = None, pipelined: int = 0
    ) -> None:
        connection.close()
        with transaction.atomic(), connection.cursor() as cursor:
            self.restore_rows()
            cursor.execute("UPDATE subscribers_subscription SET state = 'active'")
        self.reset(faults)
        self.paused_at, self.unsubscribed_at = None, {}
        self.second_reads.clear()
        self.relay = Relay(self, window=window, pipelined=pipelined)

    def second_read(self, subscribers: Sequence[int]) -> None:
        """It counts only for those whose permission is committed: what the database holds now."""
        with self.unobserved():
            for batch in Batch.objects.filter(state=Batch.State.CLAIMED):
                for reader in unpack(batch.reader_ids)[: batch.intent]:
                    if reader in subscribers and not connection.in_atomic_block:
                        self.second_reads[reader].append(self.steps)

    # --- What happens -------------------------------------------------------------------------
    def apply_fault(self, fault: Fault) -> None:
        match fault:
            case Fault.UNSUBSCRIBE:
                gone = next(
                    (s for s in self.subscriptions if s.subscriber_id not in self.second_reads),
                    self.subscriptions[self.steps % len(self.subscriptions)],
                )
                lifecycle.unsubscribe(gone.pk)
                self.unsubscribed_at.setdefault(gone.subscriber_id, self.steps)
            case Fault.PAUSE:
                if control.pause(self.mailing):
                    self.paused_at = self.steps
            case Fault.CANCEL:
                control.cancel(self.mailing)

    # --- Workers ------------------------------------------------------------------------------
    def expire_leases(self) -> None:
        """The clock moves past every lease."""
        Batch.objects.filter(state=Batch.State.CLAIMED).update(
            lease_until=Now() - timedelta(seconds=1)
        )

    def start_another_worker(self) -> None:
        """Another worker takes over what the lost one left, and no more."""
        rescue.rescue_batches()
        Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
        newest = Batch.objects.filter(state=Batch.State.OPEN).order_by("-pk").first()
        if newest is not None:
            sender.send_batch(newest.pk)

    def work(self) -> bool:
        """One batch, or what the minute's tick does; False where nothing is left to do."""
        with self.unobserved():
            Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
        due = protocol.due_batches(1)
        if due:
            sender.send_batch(due[0], stop=lambda: self.stop_requested)
            self._check_sigterm()
            return True
        with self.unobserved():
            self.expire_leases()
            self._resume_after_pause()
        rescue.rescue_batches()
        dispatch.prepare_waiting()
        control.settle_cancelled()
        rescue.finish_mailings()
        self._check_sigterm()
        with self.unobserved():
            return Batch.objects.exclude(state=Batch.State.CLOSED).exists()

    def _check_sigterm(self) -> None:
        """SIGTERM ends what is in flight, and no more: one message, or one call to a provider."""
        if self.sigterm_at is not None:
            since = [at for _, at in self.relay.accepted if at > self.sigterm_at]
            if len(since) > (self.relay.window or 1):
                raise InvariantError(f"{len(since)} mails after SIGTERM")
        self.stop_requested, self.sigterm_at = False, None

    def _resume_after_pause(self) -> None:
        if self.paused_at is None:
            return
        since = [at for _, at in self.relay.accepted if at > self.paused_at]
        self.paused_at = None
        if len(since) > settings.SEND_STEP:
            raise InvariantError(f"{len(since)} mails after the pause")
        control.resume(self.mailing)

    # --- The account --------------------------------------------------------------------------
    def check_after_kill(self) -> None:
        """After a death: what was accepted and is not recorded lies within the declared doubt."""
        outcomes = self._outcomes()
        taken = {subscriber for subscriber, _ in self.relay.accepted}
        recorded = {s for s, r in outcomes.items() if r in {Result.SENT, Result.UNKNOWN}}
        doubt: set[int] = set()
        for batch in Batch.objects.filter(state=Batch.State.CLAIMED):
            readers, results = unpack(batch.reader_ids), bytes(batch.results)
            recorded |= {r for r, b in zip(readers, results, strict=False) if b == Result.SENT}
            open_ = [
                reader
                for position, reader in enumerate(readers[: batch.intent])
                if position >= len(results) or not results[position]
            ]
            if len(open_) > self.bound:
                raise InvariantError(f"the doubt of batch {batch.pk} is {len(open_)} readers")
            doubt.update(open_)
        if taken - recorded - doubt:
            raise InvariantError("somebody was mailed, and neither recorded nor in doubt")
        self._check_audit()

    @property
    def bound(self) -> int:
        """What one open batch may leave in doubt: 2 × STEP + its connections, which is one."""
        return 2 * settings.SEND_STEP + 1

    def check(self) -> None:
        """At the end."""
        outcomes, times = self._outcomes(), Counter(s for s, _ in self.relay.accepted)
        twice = [subscriber for subscriber, n in times.items() if n > 1]
        forgotten = {s.subscriber_id for s in self.subscriptions} - set(outcomes)
        by_result = defaultdict(set)
        for subscriber, result in outcomes.items():
            by_result[result].add(subscriber)
        taken = set(times)
        known = by_result[Result.SENT]
        doubt = by_result[Result.UNKNOWN]
        problems = {
            "sent twice": twice,
            "forgotten": forgotten,
            "said to be sent, but not accepted": known - taken,
            "accepted outside the declared doubt": taken - known - doubt,
            "mailed after they left": self._sent_after_unsubscribing(),
        }
        for problem, readers in problems.items():
            if readers:
                raise InvariantError(f"{problem}: {sorted(readers)}")
        if Batch.objects.filter(fence__gt=2).exists():  # one claim, and the end
            raise InvariantError("a batch was claimed twice")
        if len(doubt) > self.incidents * self.bound + self.relay.unanswered:
            raise InvariantError(f"{len(doubt)} in doubt after {self.incidents} incidents")
        self._check_audit()
        self.mailing.refresh_from_db()
        if self.mailing.state not in {Mailing.State.FINISHED, Mailing.State.CANCELLED}:
            raise InvariantError(f"the mailing is still {self.mailing.state}")

    def _sent_after_unsubscribing(self) -> set[int]:
        """Those who were handed over although they had left before any second read of them."""
        return {
            subscriber
            for subscriber, at in self.relay.accepted
            if subscriber in self.unsubscribed_at
            and not any(
                read < self.unsubscribed_at[subscriber] for read in self.second_reads[subscriber]
            )
        }

    def _outcomes(self) -> dict[int, Result]:
        rows = Outcome.objects.filter(mailing_id=self.mailing.pk)
        return {
            subscriber: Result(result)
            for subscriber, result in rows.values_list("subscriber_id", "result")
        }

    def _check_audit(self) -> None:
        [finding] = audit(self.mailing.pk)
        if finding.faults:
            raise InvariantError("; ".join(finding.faults))
