"""Steps, and what may happen at them, on the real database with real commits.

Each SQL statement, each COMMIT and each event at the relay is a *step*, before and after, and at
any of them something may happen (`Fault`). Leases run out because a world moves them back in the
database. What is sent, by whom, and what has to hold is each world's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.db import InterfaceError, OperationalError, connection, connections
from django.db.backends.signals import connection_created


class ProcessKilled(BaseException):
    """kill -9: nothing of ours runs after it, and the database rolls back what is open."""


class InvariantError(AssertionError):
    """The account and the relay's record do not agree as P1 promises."""


class Fault(Enum):
    KILL = "kill -9"
    STALL_LONG = "sleeps past its lease, wakes after others have finished"
    STALL_SHORT = "sleeps past its lease, wakes while others are sending"
    LOSE_CONNECTION = "connection to the database lost, with what it was doing"
    SIGTERM = "SIGTERM"
    UNSUBSCRIBE = "a reader unsubscribes"
    PAUSE = "an editor pauses"
    CANCEL = "an editor cancels"


class StepKind(Enum):
    """Where a step is."""

    SQL = "statement"
    COMMIT = "commit"
    RELAY = "relay"


@dataclass(frozen=True)
class Step:
    number: int
    at: StepKind
    inside: bool
    """In a transaction: nobody else sees what it did, and on SQLite nobody else writes."""

    def allows(self, fault: Fault) -> bool:
        if fault is Fault.KILL:
            return True
        if fault is Fault.LOSE_CONNECTION:
            return self.at is not StepKind.RELAY
        return not self.inside


class Simulation:
    """What all worlds share: steps, deaths, sleep, and the database as it was at the beginning.

    A world says in `work` what workers do next, in `expire` that all leases have run out, in
    `others_begin` what another worker begins while one dozes, and in `check` what has to hold.
    """

    tables: tuple[str, ...] = ()
    """What `restore` gives back as it was, those that refer to others last."""

    def __init__(self) -> None:
        self.steps = 0
        self.history: list[Step] = []
        self.pending_faults: dict[int, list[Fault]] = {}
        """Faults by the number of the step from which on they wait for one that allows them."""
        self.incidents = 0
        self.stop_requested = False
        self.sigterm_at: int | None = None
        self.connection_lost = False
        self.muted = True
        self._saved_rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}

    def work(self) -> bool:
        """One thing to do, done; False where nothing is left."""
        raise NotImplementedError

    def expire_leases(self) -> None:
        raise NotImplementedError

    def start_another_worker(self) -> None:
        raise NotImplementedError

    def check(self) -> None:
        """At the end."""
        raise NotImplementedError

    def check_after_kill(self) -> None:
        """After a death."""

    def apply_fault(self, fault: Fault) -> None:
        """What only this world knows."""
        raise NotImplementedError

    # --- States -------------------------------------------------------------------------------
    def save_rows(self) -> None:
        """Remember the database as `begin_anew` is to give it back."""
        with connection.cursor() as cursor:
            for table in self.tables:
                cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
                names = [column[0] for column in cursor.description]
                self._saved_rows[table] = (names, cursor.fetchall())

    def restore_rows(self) -> None:
        """Inside the caller's transaction."""
        with connection.cursor() as cursor:
            for table in reversed(self.tables):
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608
            for table, (names, rows) in self._saved_rows.items():
                if rows:
                    columns, marks = ", ".join(f'"{name}"' for name in names), "%s, " * len(names)
                    cursor.executemany(
                        f"INSERT INTO {table} ({columns}) VALUES ({marks[:-2]})",  # noqa: S608
                        [_adapt_json(row) for row in rows],
                    )

    def reset(self, faults: Iterable[tuple[int, Fault]]) -> None:
        self.steps, self.incidents, self.stop_requested = 0, 0, False
        self.sigterm_at = None
        self.history, self.pending_faults = [], {}
        for number, fault in faults:
            self.pending_faults.setdefault(number, []).append(fault)

    # --- Steps --------------------------------------------------------------------------------
    @contextmanager
    def observed(self) -> Iterator[None]:
        """Every statement, COMMIT and event at the relay is a step in here."""
        wrapper: Any = connections["default"]
        commit, rollback = wrapper._commit, wrapper._rollback

        def stepped_commit() -> None:
            self._require_connection()
            self.step(StepKind.COMMIT)
            commit()
            # `in_atomic_block` is still set, but what was done is done.
            self.step(StepKind.COMMIT)

        def stepped_rollback() -> None:
            self._require_connection()
            rollback()

        connection_created.connect(self._reconnected)
        wrapper._commit, wrapper._rollback = stepped_commit, stepped_rollback
        self.muted = False
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            self.muted = True
            del wrapper._commit, wrapper._rollback
            connection_created.disconnect(self._reconnected)
            self.connection_lost = False

    def step(self, at: StepKind) -> None:
        if self.muted:
            return
        self.steps += 1
        here = Step(self.steps, at, at is StepKind.COMMIT or in_transaction())
        self.history.append(here)
        for number in sorted(self.pending_faults):
            if number > self.steps:
                break
            waiting = self.pending_faults.pop(number, [])
            for position, fault in enumerate(waiting):
                if here.allows(fault):
                    rest = waiting[position + 1 :]
                    if rest:
                        self.pending_faults.setdefault(self.steps + 1, []).extend(rest)
                    self._inject(fault)
                    break
                self.pending_faults.setdefault(self.steps + 1, []).append(fault)

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any
    ) -> Any:
        self._require_connection()
        self.step(StepKind.SQL)
        answer = execute(sql, params, many, context)
        if not sql.startswith("SELECT"):  # after a read it is as before what comes next
            self.step(StepKind.SQL)
        return answer

    def _require_connection(self) -> None:
        if self.connection_lost:
            raise OperationalError("simulated: the connection is lost")

    def _reconnected(self, **_: Any) -> None:
        self.connection_lost = False

    @contextmanager
    def unobserved(self) -> Iterator[None]:
        before, self.muted = self.muted, True
        try:
            yield
        finally:
            self.muted = before

    # --- What happens -------------------------------------------------------------------------
    def _inject(self, fault: Fault) -> None:
        with self.unobserved():
            self._apply(fault)
        if fault is Fault.KILL:
            raise ProcessKilled
        if fault is Fault.LOSE_CONNECTION:
            raise OperationalError("simulated: the connection was lost")

    def _apply(self, fault: Fault) -> None:
        match fault:
            case Fault.KILL:
                self.incidents += 1
                if in_transaction():  # as the server does when its client is gone
                    connection.connection.rollback()
                    self.connection_lost = True
            case Fault.LOSE_CONNECTION:  # no incident: it leaves nobody in doubt
                if in_transaction():
                    connection.connection.rollback()
                self.connection_lost = True
            case Fault.STALL_LONG:
                self.incidents += 1
                with self._connection_of_another_worker():
                    self.expire_leases()
                    self.muted = False
                    self.run_workers()
            case Fault.STALL_SHORT:  # the others' steps are not watched: they only begin
                self.incidents += 1
                with self._connection_of_another_worker():
                    self.expire_leases()
                    self.start_another_worker()
            case Fault.SIGTERM:
                self.stop_requested, self.sigterm_at = True, self.steps
            case _:
                self.apply_fault(fault)

    @contextmanager
    def _connection_of_another_worker(self) -> Iterator[None]:
        """Who sleeps keeps their own connection, open, and whether it is lost."""
        wrapper: Any = connections["default"]
        kept, connection_lost = wrapper.connection, self.connection_lost
        wrapper.connection, self.connection_lost = None, False
        try:
            yield
        finally:
            connection.close()
            wrapper.connection, self.connection_lost = kept, connection_lost

    # --- Workers ------------------------------------------------------------------------------
    def run(self) -> None:
        """To the end, whatever happens on the way, and the account checked."""
        with self.observed():
            self.run_workers()
        connection.close()
        self.check()

    def run_workers(self) -> None:
        for _ in range(500):
            try:
                if not self._work_while_connected():
                    return
            except ProcessKilled:
                self.stop_requested, self.sigterm_at = False, None
                connection.close()
                with self.unobserved():
                    self.check_after_kill()
        raise InvariantError("the work does not come to an end")

    def _work_while_connected(self) -> bool:
        goes_on = True
        try:
            goes_on = self.work()
        except* (OperationalError, InterfaceError):
            # Alone, or in the group of what failed in a minute's work.
            connection.close()
        return goes_on


def _adapt_json(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        connection.ops.adapt_json_value(v, None) if isinstance(v, dict | list) else v for v in row
    )


def in_transaction() -> bool:
    """As the database sees it: just after BEGIN and just before COMMIT Django does not."""
    raw = connection.connection
    if raw is None or connection.in_atomic_block:
        return bool(connection.in_atomic_block)
    if connection.vendor == "sqlite":
        return bool(raw.in_transaction)
    return bool(raw.info.transaction_status != 0)
