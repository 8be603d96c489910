"""A send-out on the real database, with a relay, a clock and deaths that a test decides.

Everything of production runs as it is: planner, sender, rescue, on the test's database with real
commits. What is simulated is what happens around it: each SQL statement, each COMMIT and each
event at the relay is a *step*, before and after, and at any of them something may happen (`Fault`).
Leases run out and batches fall due because their times are moved back in the database.

`World.check` holds the relay's own record against the account.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.db.backends.signals import connection_created
from django.db.models.functions import Now

from newsletter.delivery import control, dispatch, progress, rescue, sender
from newsletter.delivery.audit import audit
from newsletter.delivery.models import Batch, Mailing, Outcome
from newsletter.delivery.packing import unpack
from newsletter.delivery.tracing import read_delivery_id
from newsletter.transport.base import Transport, never
from newsletter.transport.outcomes import Handover, Mail, Recipient, Result, TransportDown
from subscribers import lifecycle
from subscribers.models import Subscription


class Killed(BaseException):
    """kill -9: nothing of ours runs after it, and the database rolls back what is open."""


class Violation(AssertionError):
    """The account and the relay's record do not agree as DESIGN.md promises."""


class Fault(Enum):
    KILL = "kill -9"
    SLEEP = "sleeps past its lease, wakes after others have finished"
    DOZE = "sleeps past its lease, wakes while others are sending"
    LOSE = "connection to the database lost, with what it was doing"
    TERM = "SIGTERM"
    LEAVE = "a reader unsubscribes"
    PAUSE = "an editor pauses"
    CANCEL = "an editor cancels"


class At(Enum):
    """Where a step is."""

    SQL = "statement"
    COMMIT = "commit"
    RELAY = "relay"


@dataclass(frozen=True)
class Step:
    number: int
    at: At
    inside: bool
    """In a transaction: nobody else sees what it did, and on SQLite nobody else writes."""

    def allows(self, fault: Fault) -> bool:
        if fault is Fault.KILL:
            return True
        if fault is Fault.LOSE:
            return self.at is not At.RELAY
        return not self.inside


class Answer(Enum):
    """What the relay does with a message."""

    TAKE = "250"
    DEFER = "451"
    REFUSE = "550"
    HANG_UP = "closes the connection before the final dot"
    TAKE_AND_HANG_UP = "takes it, and closes the connection before it says so"
    LOSE_AND_HANG_UP = "closes the connection at the final dot, and has not taken it"


@dataclass
class Relay(Transport):
    """Answers as scripted, then TAKE; remembers each acceptance. With a `window`, a provider:
    all of a call are settled before the first is told."""

    world: World
    window: int | None = None
    lead: int = 0
    name: str = "simulated://relay"
    accepted: list[tuple[int, int]] = field(default_factory=list)
    """(subscriber, step at which it was taken)"""
    unanswered: int = 0
    script: defaultdict[int, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))

    __hash__ = object.__hash__

    def compile(self, mail: Mail) -> Mail:
        return mail

    def close(self) -> None:
        return

    def send(
        self,
        compiled: Mail,
        recipients: Iterable[Recipient],
        *,
        stop: Callable[[], bool] = never,
        ahead: int | None = None,
    ) -> Generator[Handover, None, None]:
        if self.window is None:
            assert ahead is None or self.lead <= ahead
            yield from self._one_after_another(recipients, stop)
            return
        told: list[Handover] = []
        down: TransportDown | None = None
        try:
            told.extend(self._one_after_another(recipients, never))
        except TransportDown as raised:
            down = raised
        yield from told
        if down is not None:
            raise down

    def _one_after_another(
        self, recipients: Iterable[Recipient], stop: Callable[[], bool]
    ) -> Iterator[Handover]:
        """As the real one: `lead` more are taken before the first is answered for, and whatever
        ends the call, what is in flight is told first."""
        in_flight: deque[Handover] = deque()
        error: Exception | None = None
        try:
            for recipient in recipients:
                if stop():
                    break
                trace = read_delivery_id(recipient.delivery_id)
                assert trace is not None
                self.world.step(At.RELAY)
                in_flight.append(self._answer(recipient.position, trace.subscriber_id))
                self.world.step(At.RELAY)
                if in_flight[-1].result is Result.UNKNOWN:
                    raise TransportDown("simulated: lost after the final dot")
                if len(in_flight) > self.lead:
                    yield in_flight.popleft()
        except Exception as raised:
            error = raised
        yield from in_flight
        if error is not None:
            raise error

    def _answer(self, position: int, subscriber: int) -> Handover:
        script = self.script[subscriber]
        answer = script.popleft() if script else Answer.TAKE
        if answer in {Answer.TAKE, Answer.TAKE_AND_HANG_UP}:
            self.accepted.append((subscriber, self.world.steps))
        match answer:
            case Answer.TAKE:
                return Handover(position, Result.SENT, 250)
            case Answer.DEFER:
                return Handover(position, Result.DEFERRED, 451, "4.7.1")
            case Answer.REFUSE:
                return Handover(position, Result.REFUSED, 550, "5.1.1")
            case Answer.HANG_UP:
                raise TransportDown("simulated: connection lost")
        self.unanswered += 1
        return Handover(position, Result.UNKNOWN)


@dataclass
class World:
    """One state after another of the same frozen mailing; `restore` begins each anew."""

    mailing: Mailing
    subscriptions: list[Subscription]
    steps: int = 0
    trail: list[Step] = field(default_factory=list)
    plan: dict[int, list[Fault]] = field(default_factory=dict)
    """Faults by the number of the step from which on they wait for a step that allows them."""
    incidents: int = 0
    stopping: bool = False
    left: dict[int, int] = field(default_factory=dict)
    """subscriber -> the step at which their unsubscription was answered"""
    second_reads: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    paused_at: int | None = None
    term_at: int | None = None
    dead: bool = False
    quiet: bool = True
    relay: Relay = field(init=False)
    _kept: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.relay = Relay(self)

    # --- States -------------------------------------------------------------------------------
    def keep(self) -> None:
        """Remember the database as `restore` is to give it back."""
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
                names = [column[0] for column in cursor.description]
                self._kept[table] = (names, cursor.fetchall())

    def restore(self, *faults: tuple[int, Fault], window: int | None = None, lead: int = 0) -> None:
        connection.close()
        with transaction.atomic(), connection.cursor() as cursor:
            for table in reversed(TABLES):
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608
            for table, (names, rows) in self._kept.items():
                if rows:
                    columns, marks = ", ".join(f'"{name}"' for name in names), "%s, " * len(names)
                    cursor.executemany(
                        f"INSERT INTO {table} ({columns}) VALUES ({marks[:-2]})",  # noqa: S608
                        [_adapted(row) for row in rows],
                    )
            cursor.execute("UPDATE subscribers_subscription SET state = 'active'")
        self.steps, self.incidents, self.stopping = 0, 0, False
        self.paused_at = self.term_at = None
        self.trail, self.left = [], {}
        self.second_reads.clear()
        self.relay = Relay(self, window=window, lead=lead)
        self.plan = {}
        for number, fault in faults:
            self.plan.setdefault(number, []).append(fault)

    # --- Steps --------------------------------------------------------------------------------
    @contextmanager
    def watched(self) -> Iterator[None]:
        """Every statement, COMMIT and event at the relay is a step in here."""
        wrapper: Any = connections["default"]
        commit, rollback = wrapper._commit, wrapper._rollback

        def stepped_commit() -> None:
            self._alive()
            self.step(At.COMMIT)
            commit()
            # `in_atomic_block` is still set, but what was done is done.
            self.step(At.COMMIT)

        def stepped_rollback() -> None:
            self._alive()
            rollback()

        connection_created.connect(self._reconnected)
        wrapper._commit, wrapper._rollback = stepped_commit, stepped_rollback
        self.quiet = False
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            self.quiet = True
            del wrapper._commit, wrapper._rollback
            connection_created.disconnect(self._reconnected)
            self.dead = False

    def step(self, at: At) -> None:
        if self.quiet:
            return
        self.steps += 1
        here = Step(self.steps, at, at is At.COMMIT or in_transaction())
        self.trail.append(here)
        for number in sorted(self.plan):
            if number > self.steps:
                break
            waiting = self.plan.pop(number, [])
            for position, fault in enumerate(waiting):
                if here.allows(fault):
                    rest = waiting[position + 1 :]
                    if rest:
                        self.plan.setdefault(self.steps + 1, []).extend(rest)
                    self._happen(fault)
                    break
                self.plan.setdefault(self.steps + 1, []).append(fault)

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any
    ) -> Any:
        self._alive()
        self.step(At.SQL)
        answer = execute(sql, params, many, context)
        if not sql.startswith("SELECT"):  # after a read it is as before what comes next
            self.step(At.SQL)
        return answer

    def _alive(self) -> None:
        if self.dead:
            raise OperationalError("simulated: the connection is lost")

    def _reconnected(self, **_: Any) -> None:
        self.dead = False

    def second_read(self, subscribers: Sequence[int]) -> None:
        """It counts only for those whose permission is committed: what the database holds now."""
        with self.unwatched():
            for batch in Batch.objects.filter(state=Batch.State.CLAIMED):
                for reader in unpack(batch.reader_ids)[: batch.intent]:
                    if reader in subscribers and not connection.in_atomic_block:
                        self.second_reads[reader].append(self.steps)

    # --- What happens -------------------------------------------------------------------------
    def _happen(self, fault: Fault) -> None:
        with self.unwatched():
            self._do(fault)
        if fault is Fault.KILL:
            raise Killed
        if fault is Fault.LOSE:
            raise OperationalError("simulated: the connection was lost")

    def _do(self, fault: Fault) -> None:
        match fault:
            case Fault.KILL:
                self.incidents += 1
                if in_transaction():  # as the server does when its client is gone
                    connection.connection.rollback()
                    self.dead = True
            case Fault.LOSE:  # no incident: it leaves nobody in doubt
                if in_transaction():
                    connection.connection.rollback()
                self.dead = True
            case Fault.SLEEP:
                self.incidents += 1
                with self._connection_of_others():
                    expire()
                    self.quiet = False
                    self.drive()
            case Fault.DOZE:  # the others' steps are not watched: they only begin
                self.incidents += 1
                with self._connection_of_others():
                    self._others_begin()
            case Fault.TERM:
                self.stopping, self.term_at = True, self.steps
            case Fault.LEAVE:
                gone = next(
                    (s for s in self.subscriptions if s.subscriber_id not in self.second_reads),
                    self.subscriptions[self.steps % len(self.subscriptions)],
                )
                lifecycle.unsubscribe(gone.pk)
                self.left.setdefault(gone.subscriber_id, self.steps)
            case Fault.PAUSE:
                if control.pause(self.mailing):
                    self.paused_at = self.steps
            case Fault.CANCEL:
                control.cancel(self.mailing)

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        before, self.quiet = self.quiet, True
        try:
            yield
        finally:
            self.quiet = before

    @contextmanager
    def _connection_of_others(self) -> Iterator[None]:
        """Who sleeps keeps their own connection, open, and whether it is lost."""
        wrapper: Any = connections["default"]
        kept, dead = wrapper.connection, self.dead
        wrapper.connection, self.dead = None, False
        try:
            yield
        finally:
            connection.close()
            wrapper.connection, self.dead = kept, dead

    # --- Workers ------------------------------------------------------------------------------
    def run(self) -> None:
        """To the end, whatever happens on the way, and the account checked."""
        with self.watched():
            self.drive()
        connection.close()
        self.check()

    def drive(self) -> None:
        for _ in range(500):
            try:
                if not self._work():
                    return
            except Killed:
                self.stopping, self.term_at = False, None
                connection.close()
                with self.unwatched():
                    self.check_midway()
            except (OperationalError, InterfaceError):
                connection.close()
        raise Violation("the batches do not come to an end")

    def _others_begin(self) -> None:
        """Another worker takes over what the lost one left, and no more."""
        expire()
        rescue.rescue_batches()
        Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
        newest = Batch.objects.filter(state=Batch.State.OPEN).order_by("-pk").first()
        if newest is not None:
            sender.send_batch(newest.pk)

    def _work(self) -> bool:
        """One batch, or what the minute's tick does; False where nothing is left to do."""
        with self.unwatched():
            Batch.objects.filter(state=Batch.State.OPEN).update(due_at=Now())
        due = progress.due_batches(1)
        if due:
            sender.send_batch(due[0], stop=lambda: self.stopping)
            self._stopped()
            return True
        with self.unwatched():
            expire()
            self._end_pause()
        rescue.rescue_batches()
        dispatch.prepare_waiting()
        control.settle_cancelled()
        rescue.finish_mailings()
        self._stopped()
        with self.unwatched():
            return Batch.objects.exclude(state=Batch.State.CLOSED).exists()

    def _stopped(self) -> None:
        """SIGTERM ends what is in flight, and no more: one message, or one call to a provider."""
        if self.term_at is not None:
            since = [at for _, at in self.relay.accepted if at > self.term_at]
            if len(since) > (self.relay.window or 1):
                raise Violation(f"{len(since)} mails after SIGTERM")
        self.stopping, self.term_at = False, None

    def _end_pause(self) -> None:
        if self.paused_at is None:
            return
        since = [at for _, at in self.relay.accepted if at > self.paused_at]
        self.paused_at = None
        if len(since) > settings.SEND_STEP:
            raise Violation(f"{len(since)} mails after the pause")
        control.resume(self.mailing)

    # --- The account --------------------------------------------------------------------------
    def check_midway(self) -> None:
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
                raise Violation(f"the doubt of batch {batch.pk} is {len(open_)} readers")
            doubt.update(open_)
        if taken - recorded - doubt:
            raise Violation("somebody was mailed, and neither recorded nor in doubt")
        self._audited()

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
            "mailed after they left": self._mailed_after_leaving(),
        }
        for problem, readers in problems.items():
            if readers:
                raise Violation(f"{problem}: {sorted(readers)}")
        if len(doubt) > self.incidents * self.bound + self.relay.unanswered:
            raise Violation(f"{len(doubt)} in doubt after {self.incidents} incidents")
        self._audited()
        self.mailing.refresh_from_db()
        if self.mailing.state not in {Mailing.State.FINISHED, Mailing.State.CANCELLED}:
            raise Violation(f"the mailing is still {self.mailing.state}")

    def _mailed_after_leaving(self) -> set[int]:
        """Those who were handed over although they had left before any second read of them."""
        return {
            subscriber
            for subscriber, at in self.relay.accepted
            if subscriber in self.left
            and not any(read < self.left[subscriber] for read in self.second_reads[subscriber])
        }

    def _outcomes(self) -> dict[int, Result]:
        rows = Outcome.objects.filter(mailing_id=self.mailing.pk)
        return {
            subscriber: Result(result)
            for subscriber, result in rows.values_list("subscriber_id", "result")
        }

    def _audited(self) -> None:
        [finding] = audit(self.mailing.pk)
        if finding.faults:
            raise Violation("; ".join(finding.faults))


TABLES = ("delivery_mailing", "delivery_edition", "delivery_batch", "delivery_reach",
          "delivery_outcome")  # fmt: skip


def _adapted(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(connection.ops.adapt_json_value(v, None) if isinstance(v, dict | list) else v
                 for v in row)  # fmt: skip


def in_transaction() -> bool:
    """As the database sees it: just after BEGIN and just before COMMIT Django does not."""
    raw = connection.connection
    if raw is None or connection.in_atomic_block:
        return bool(connection.in_atomic_block)
    if connection.vendor == "sqlite":
        return bool(raw.in_transaction)
    return bool(raw.info.transaction_status != 0)


def expire() -> None:
    """The clock moves past every lease."""
    Batch.objects.filter(state=Batch.State.CLAIMED).update(lease_until=Now() - timedelta(seconds=1))
