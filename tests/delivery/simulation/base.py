"""Steps, and the faults that can happen at them, on the real database with real commits.

The moments before and after each SQL statement, each COMMIT and each event at the relay are
*steps*, and at any of them a `Fault` can happen. Leases run out because the simulation moves their
times back in the database. Subclasses say what is sent, and which invariants must hold.
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
    """kill -9: no code of the worker runs after it, and the database rolls back what is open."""


class InvariantError(AssertionError):
    """The recorded outcomes and the relay's record don't agree as P1 promises."""


class Fault(Enum):
    KILL = "kill -9"
    STALL_LONG = "stalls past its lease, resumes after others have finished"
    STALL_SHORT = "stalls past its lease, resumes while others are sending"
    LOSE_CONNECTION = "loses the database connection, and its open transaction"
    SIGTERM = "SIGTERM"
    UNSUBSCRIBE = "a reader unsubscribes"
    PAUSE = "an editor pauses"
    CANCEL = "an editor cancels"


class StepKind(Enum):
    """What kind of event a step is."""

    SQL = "statement"
    COMMIT = "commit"
    RELAY = "relay"


@dataclass(frozen=True)
class Step:
    number: int
    kind: StepKind
    in_transaction: bool
    """Others don't see what it did yet, and on SQLite nobody else can write."""

    def allows(self, fault: Fault) -> bool:
        """Return whether the fault can happen at this step."""
        if fault is Fault.KILL:
            return True
        if fault is Fault.LOSE_CONNECTION:
            return self.kind is not StepKind.RELAY
        return not self.in_transaction


class Simulation:
    """What all simulations share: steps, faults, and restoring the database for each state.

    A subclass implements `work_once` (what workers do next), `expire_leases`,
    `start_another_worker` (what another worker does while one is stalled) and `check` (the
    invariants).
    """

    tables: tuple[str, ...] = ()
    """The tables that `restore_rows` restores; a table comes after those it refers to."""

    def __init__(self) -> None:
        self.steps = 0
        self.history: list[Step] = []
        self.pending_faults: dict[int, list[Fault]] = {}
        """Faults by step number; each happens at the first step from there on that allows it."""
        self.incidents = 0
        self.stop_requested = False
        self.sigterm_at: int | None = None
        self.connection_lost = False
        self.muted = True
        self._saved_rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}

    def work_once(self) -> bool:
        """Do the next piece of work; return False if nothing is left to do."""
        raise NotImplementedError

    def expire_leases(self) -> None:
        """Let the lease of everything claimed run out."""
        raise NotImplementedError

    def start_another_worker(self) -> None:
        """Let another worker take over what the stalled one left, without finishing all."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise InvariantError if the final state violates an invariant."""
        raise NotImplementedError

    def check_after_kill(self) -> None:
        """Check the state right after a worker was killed."""

    def apply_fault(self, fault: Fault) -> None:
        """Apply a fault that is specific to this simulation."""
        raise NotImplementedError

    # --- States -------------------------------------------------------------------------------
    def save_rows(self) -> None:
        """Remember the rows of `tables`."""
        with connection.cursor() as cursor:
            for table in self.tables:
                cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
                names = [column[0] for column in cursor.description]
                self._saved_rows[table] = (names, cursor.fetchall())

    def restore_rows(self) -> None:
        """Restore the remembered rows, inside the caller's transaction."""
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
        """Start counting steps again, with these faults planned."""
        self.steps, self.incidents, self.stop_requested = 0, 0, False
        self.sigterm_at = None
        self.history, self.pending_faults = [], {}
        for number, fault in faults:
            self.pending_faults.setdefault(number, []).append(fault)

    # --- Steps --------------------------------------------------------------------------------
    @contextmanager
    def observed(self) -> Iterator[None]:
        """Count every statement, COMMIT and relay event in the block as a step."""
        wrapper: Any = connections["default"]
        commit, rollback = wrapper._commit, wrapper._rollback

        def stepped_commit() -> None:
            self._require_connection()
            self.step(StepKind.COMMIT)
            commit()
            # `in_atomic_block` is still set, but the commit has happened.
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

    def step(self, kind: StepKind) -> None:
        """Count a step, and let the fault happen that is planned for it."""
        if self.muted:
            return
        self.steps += 1
        here = Step(self.steps, kind, kind is StepKind.COMMIT or in_transaction())
        self.history.append(here)
        for number in sorted(self.pending_faults):
            if number > self.steps:
                break
            planned = self.pending_faults.pop(number, [])
            for position, fault in enumerate(planned):
                if here.allows(fault):
                    rest = planned[position + 1 :]
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
        result = execute(sql, params, many, context)
        if not sql.startswith("SELECT"):  # after a read nothing has changed
            self.step(StepKind.SQL)
        return result

    def _require_connection(self) -> None:
        if self.connection_lost:
            raise OperationalError("simulated: the connection is lost")

    def _reconnected(self, **_: Any) -> None:
        self.connection_lost = False

    @contextmanager
    def unobserved(self) -> Iterator[None]:
        """Don't count steps in the block."""
        before, self.muted = self.muted, True
        try:
            yield
        finally:
            self.muted = before

    # --- Faults -------------------------------------------------------------------------------
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
            case Fault.LOSE_CONNECTION:  # not an incident: it leaves nobody in doubt
                if in_transaction():
                    connection.connection.rollback()
                self.connection_lost = True
            case Fault.STALL_LONG:
                self.incidents += 1
                with self._connection_of_another_worker():
                    self.expire_leases()
                    self.muted = False
                    self.run_workers()
            case Fault.STALL_SHORT:  # the other worker's steps aren't counted
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
        """Work on another connection; the stalled worker keeps its own, open or lost."""
        wrapper: Any = connections["default"]
        own, connection_lost = wrapper.connection, self.connection_lost
        wrapper.connection, self.connection_lost = None, False
        try:
            yield
        finally:
            connection.close()
            wrapper.connection, self.connection_lost = own, connection_lost

    # --- Workers ------------------------------------------------------------------------------
    def run(self) -> None:
        """Work to the end, with the planned faults on the way, then check the invariants."""
        with self.observed():
            self.run_workers()
        connection.close()
        self.check()

    def run_workers(self) -> None:
        """Work until nothing is left; whenever a worker is killed, another one continues."""
        for _ in range(500):
            try:
                if not self._work_while_connected():
                    return
            except ProcessKilled:
                self.stop_requested, self.sigterm_at = False, None
                connection.close()
                with self.unobserved():
                    self.check_after_kill()
        raise InvariantError("the work doesn't finish")

    def _work_while_connected(self) -> bool:
        more = True
        try:
            more = self.work_once()
        except* (OperationalError, InterfaceError):
            # Alone, or in the ExceptionGroup of a tick.
            connection.close()
        return more


def _adapt_json(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        connection.ops.adapt_json_value(v, None) if isinstance(v, dict | list) else v for v in row
    )


def in_transaction() -> bool:
    """Return what the database says: just after BEGIN and before COMMIT, Django is wrong."""
    raw = connection.connection
    if raw is None or connection.in_atomic_block:
        return bool(connection.in_atomic_block)
    if connection.vendor == "sqlite":
        return bool(raw.in_transaction)
    return bool(raw.info.transaction_status != 0)
