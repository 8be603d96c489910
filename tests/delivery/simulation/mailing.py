"""Simulate a mailing on the real database, with the relay, clock and faults that a test chooses.

The production code runs unchanged: planner, sender, rescue. Leases run out and batches become due
because their times are moved back in the database. `MailingSimulation.check` compares the relay's
own record with the outcomes.
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
from newsletter.delivery.sending.batches import unpack
from newsletter.transport.outcomes import Result
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.delivery.conftest import end_pauses
from tests.delivery.simulation.base import Fault, InvariantError, Simulation
from tests.delivery.simulation.relay import Relay


class MailingSimulation(Simulation):
    """Runs one state after another of the same mailing; `restore` prepares each."""

    tables = (
        "delivery_mailing",
        "delivery_edition",
        "delivery_batch",
        "delivery_releaserecipient",
        "delivery_outcome",
        "delivery_transportstate",
    )

    def __init__(self, mailing: Mailing, subscriptions: list[Subscription]) -> None:
        super().__init__()
        self.mailing, self.subscriptions = mailing, subscriptions
        self.unsubscribed_at: dict[int, int] = {}
        """Subscriber ID -> the step at which their unsubscription was confirmed."""
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

    def note_second_read(self, subscribers: Sequence[int]) -> None:
        """Record a second read; it counts only for readers whose permission has committed."""
        with self.unobserved():
            for batch in Batch.objects.filter(state=Batch.State.CLAIMED):
                for reader in unpack(batch.reader_ids)[: batch.intent]:
                    if reader in subscribers and not connection.in_atomic_block:
                        self.second_reads[reader].append(self.steps)

    # --- Faults -------------------------------------------------------------------------------
    def apply_fault(self, fault: Fault) -> None:
        match fault:
            case Fault.UNSUBSCRIBE:
                subscription = next(
                    (s for s in self.subscriptions if s.subscriber_id not in self.second_reads),
                    self.subscriptions[self.steps % len(self.subscriptions)],
                )
                lifecycle.unsubscribe(subscription.pk)
                self.unsubscribed_at.setdefault(subscription.subscriber_id, self.steps)
            case Fault.PAUSE:
                if control.pause(self.mailing):
                    self.paused_at = self.steps
            case Fault.CANCEL:
                control.cancel(self.mailing)

    # --- Workers ------------------------------------------------------------------------------
    def expire_leases(self) -> None:
        """Move the clock past every lease."""
        Batch.objects.filter(state=Batch.State.CLAIMED).update(
            lease_until=Now() - timedelta(seconds=1)
        )
        end_pauses()

    def start_another_worker(self) -> None:
        """Let another worker take over what the stalled one left, and nothing else."""
        rescue.rescue_batches()
        Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
        newest = Batch.objects.filter(state=Batch.State.OPEN).order_by("-pk").first()
        if newest is not None:
            sender.send_batch(newest.pk)

    def work_once(self) -> bool:
        """Send one batch, or else do what a tick does; return False if nothing is left."""
        with self.unobserved():
            Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
            end_pauses()
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
        """After SIGTERM only what is in flight is sent: one message, or one call to a provider."""
        if self.sigterm_at is not None:
            later = [step for _, step in self.relay.accepted if step > self.sigterm_at]
            if len(later) > (self.relay.window or 1):
                raise InvariantError(f"{len(later)} messages after SIGTERM")
        self.stop_requested, self.sigterm_at = False, None

    def _resume_after_pause(self) -> None:
        if self.paused_at is None:
            return
        later = [step for _, step in self.relay.accepted if step > self.paused_at]
        self.paused_at = None
        if len(later) > settings.SEND_STEP:
            raise InvariantError(f"{len(later)} messages after the pause")
        control.resume(self.mailing)

    # --- Invariants ---------------------------------------------------------------------------
    def check_after_kill(self) -> None:
        """Readers whose message was accepted are recorded, or lie within the declared doubt."""
        outcomes = self._outcomes()
        accepted = {subscriber for subscriber, _ in self.relay.accepted}
        recorded = {s for s, r in outcomes.items() if r in {Result.SENT, Result.UNKNOWN}}
        doubt: set[int] = set()
        for batch in Batch.objects.filter(state=Batch.State.CLAIMED):
            readers, results = unpack(batch.reader_ids), bytes(batch.results)
            recorded |= {r for r, b in zip(readers, results, strict=False) if b == Result.SENT}
            unsettled = [
                reader
                for position, reader in enumerate(readers[: batch.intent])
                if position >= len(results) or not results[position]
            ]
            if len(unsettled) > self.max_unknown_per_batch:
                raise InvariantError(f"batch {batch.pk} leaves {len(unsettled)} readers in doubt")
            doubt.update(unsettled)
        if accepted - recorded - doubt:
            raise InvariantError(
                "a message was accepted, and its reader is neither recorded nor in doubt"
            )
        self._check_audit()

    @property
    def max_unknown_per_batch(self) -> int:
        """How many readers one open batch may leave in doubt: 2 × STEP + its one connection."""
        return 2 * settings.SEND_STEP + 1

    def check(self) -> None:
        """Compare the relay's record with the outcomes once the mailing is over."""
        outcomes, counts = self._outcomes(), Counter(s for s, _ in self.relay.accepted)
        twice = [subscriber for subscriber, n in counts.items() if n > 1]
        lost = {s.subscriber_id for s in self.subscriptions} - set(outcomes)
        by_result = defaultdict(set)
        for subscriber, result in outcomes.items():
            by_result[result].add(subscriber)
        accepted = set(counts)
        sent = by_result[Result.SENT]
        doubt = by_result[Result.UNKNOWN]
        problems = {
            "sent twice": twice,
            "lost": lost,
            "recorded as sent, but not accepted": sent - accepted,
            "accepted outside the declared doubt": accepted - sent - doubt,
            "sent to after unsubscribing": self._sent_after_unsubscribing(),
        }
        for problem, readers in problems.items():
            if readers:
                raise InvariantError(f"{problem}: {sorted(readers)}")
        if Batch.objects.filter(fence__gt=2).exists():  # one for the claim, one for the finish
            raise InvariantError("a batch was claimed twice")
        if len(doubt) > self.incidents * self.max_unknown_per_batch + self.relay.unanswered:
            raise InvariantError(f"{len(doubt)} in doubt after {self.incidents} incidents")
        self._check_audit()
        self.mailing.refresh_from_db()
        if self.mailing.state not in {Mailing.State.FINISHED, Mailing.State.CANCELLED}:
            raise InvariantError(f"the mailing is still {self.mailing.state}")

    def _sent_after_unsubscribing(self) -> set[int]:
        """Return readers sent to although they had unsubscribed before any second read of them."""
        return {
            subscriber
            for subscriber, _ in self.relay.accepted
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
