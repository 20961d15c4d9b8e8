"""Measurement of how far a replica is behind, by positions in the write-ahead log, transaction ids and one clock.

A thread asks the primary for its position and the replica for the one that it has replayed, twice a second. Once the
replica has passed a position, it holds every commit from before the moment when that position was asked for. So the lag
is the time since that moment: an upper bound, by the clock of this process alone. PostgreSQL's own measure, the age of
the last replayed transaction, grows while nothing is written and stays small after the connection to the primary is
lost.

A position may include records that no commit has flushed yet, such as those of hint bits that a read sets: the replica
gets them with the next commit, or a quarter of a minute later. So it is compared by transactions, too: where all that
had an id on the primary have ended on the replica, it holds their commits. Ids alone would not do: one long transaction
holds them back.
https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import psycopg2
from loguru import logger

from backend.replica.timed_connection import TimedConnection

INTERVAL_SECONDS = 0.5
# A replica that has failed a request is left alone for so long.
PAUSE_SECONDS = 5.0
# The position of what is inserted, not of what is written: with `synchronous_commit` off a commit is seen before it is
# written.
POSITION = """
    SELECT pg_current_wal_insert_lsn() - '0/0', pg_snapshot_xmax(pg_current_snapshot())::text, system_identifier
      FROM pg_control_system()
"""
REPLAYED = """
    SELECT pg_last_wal_replay_lsn() - '0/0', pg_snapshot_xmin(pg_current_snapshot())::text, system_identifier,
           pg_is_in_recovery()
      FROM pg_control_system()
"""
NOT_MEASURED = "The replica has not been measured yet."
NO_ANSWER = "The replica does not answer."
NO_PRIMARY = "The primary does not say how far it is."
NO_REPLICA = "DATABASE_REPLICA_URL leads to a server that is no streaming replica of DATABASE_URL's."
HAS_FAILED = "The replica has failed a request a moment ago."


class ReplicationProgress(NamedTuple):
    """How far a server is.

    Attributes:
        position: In the write-ahead log, in bytes.
        next_id: Of transactions: on the primary none has this id or a higher one, on the replica all with a lower one
            have ended.
    """

    position: int
    next_id: int

    def has_passed(self, other: ReplicationProgress) -> bool:
        """Tell whether a replica that is here holds what was committed on a primary that was there."""
        return self.position >= other.position or self.next_id >= other.next_id


class ReplicaMonitor:
    """Lag of a replica, as one thread of the process measures it. All threads may read it."""

    def __init__(
        self, primary: TimedConnection, replica: TimedConnection, *, most_seconds: float, on_loss: Callable[[], None]
    ) -> None:
        """Measure nothing yet.

        Args:
            primary: Where positions are asked for.
            replica: Where it is asked which ones are replayed.
            most_seconds: Positions older than this are forgotten.
            on_loss: Called when the replica does not answer.
        """
        self._primary, self._replica, self._on_loss = primary, replica, on_loss
        self._asked: deque[tuple[float, ReplicationProgress]] = deque(maxlen=int(most_seconds / INTERVAL_SECONDS) + 2)
        self._replayed_position = 0
        self._current_at: float | None = None
        self._paused_until = 0.0
        self._fault: str | None = NOT_MEASURED
        self._process = 0
        self._lock = threading.Lock()
        self._measured = threading.Event()

    @property
    def fault(self) -> str | None:
        """Why the replica is not used, besides its lag; None where it may be."""
        return HAS_FAILED if self._fault is None and time.monotonic() < self._paused_until else self._fault

    def lag(self) -> float | None:
        """Return for how many seconds at most commits may be missing on the replica; None: that is not known."""
        self._start()
        current_at = self._current_at
        now = time.monotonic()
        return None if current_at is None or now < self._paused_until else now - current_at

    def wait(self, seconds: float) -> None:
        """Wait for the first measurement of this process."""
        self._start()
        self._measured.wait(seconds)

    def pause(self) -> None:
        """Leave the replica alone for a while, after a request that it has failed."""
        self._paused_until = time.monotonic() + PAUSE_SECONDS

    def measure(self) -> None:
        """Ask both servers once."""
        asked_at = time.monotonic()
        try:
            position, next_id, cluster = self._primary.ask(POSITION)
        except psycopg2.Error:
            self._report(NO_PRIMARY)  # What the replica was known to hold it still holds.
            return
        try:
            replayed, oldest_id, replicated, is_replica = self._replica.ask(REPLAYED)
        except psycopg2.Error:
            self._lose(NO_ANSWER)
            self._on_loss()
            return
        if not is_replica or replayed is None or replicated != cluster:
            self._lose(NO_REPLICA)
            return
        self._compare(
            asked_at,
            ReplicationProgress(int(position), int(next_id)),
            ReplicationProgress(int(replayed), int(oldest_id)),
        )

    def _compare(self, asked_at: float, primary: ReplicationProgress, replica: ReplicationProgress) -> None:
        """Take the latest moment whose commits are replayed."""
        if replica.position < self._replayed_position or (
            self._asked and primary.position < self._asked[-1][1].position
        ):
            # Another server than before answers to one of the addresses.
            self._current_at = None
            self._asked.clear()
        self._replayed_position = replica.position
        self._asked.append((asked_at, primary))
        reached = [moment for moment, passed in self._asked if replica.has_passed(passed)]
        if reached:
            self._current_at = reached[-1]
        self._report(None)

    def _lose(self, fault: str) -> None:
        self._current_at = None
        self._report(fault)

    def _report(self, fault: str | None) -> None:
        if fault != self._fault and (fault or self._fault != NOT_MEASURED):
            logger.warning("Reads that may lag: {}", fault or "the replica answers.")
        self._fault = fault
        self._measured.set()

    def _start(self) -> None:
        """Start the thread of this process: at the first use, and so after a fork."""
        if self._process == os.getpid():
            return
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._work, name="replica-monitor", daemon=True).start()

    def _work(self) -> None:
        while True:
            self.measure()
            time.sleep(INTERVAL_SECONDS)
