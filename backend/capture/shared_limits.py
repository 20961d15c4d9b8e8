"""Limits shared by the fetches of one process: slots of hosts, memory for bodies, processes for extraction."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backend.capture.fetch import FetchedPage
from backend.capture.turns import Claim
from backend.text.urls import domain_of

# The first bytes of a body need no free memory: most pages are no longer.
UNLIMITED_BYTES = 128 * 1024
# Time that a fetch waits for free memory.
MEMORY_WAIT_SECONDS = 5.0


class HostBusy(Exception):
    """A redirect leads to a host without a free slot."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


class MemoryFull(Exception):
    """The bodies in memory leave no room for more bytes."""


class HostSlots:
    """Slots of hosts: how many fetches of this process visit each, redirects included."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._visits: Counter[str] = Counter()
        self._lock = threading.Lock()

    def full_hosts(self) -> list[str]:
        """Return the hosts without a free slot."""
        with self._lock:
            return [host for host, number in self._visits.items() if number >= self._per_host]

    @contextmanager
    def visit(self) -> Iterator[HostVisit]:
        """Open a visit for one fetch: it occupies one host at a time, and none at the end."""
        visit = HostVisit(self)
        try:
            yield visit
        finally:
            self._move(visit.host, None)

    def _move(self, before: str | None, to: str | None) -> None:
        with self._lock:
            if to is not None:
                if self._visits[to] >= self._per_host:
                    raise HostBusy(to)
                self._visits[to] += 1
            if before is not None:
                self._visits[before] -= 1
                self._visits += Counter()  # Removes zero counts.


class HostVisit:
    """The host that one fetch occupies."""

    def __init__(self, slots: HostSlots) -> None:
        self._slots = slots
        self.host: str | None = None

    def enter(self, url: str) -> None:
        """Move to the host of a URL.

        Raises:
            HostBusy: it has no free slot.
        """
        host = domain_of(url)
        if host != self.host:
            self._slots._move(self.host, host)
            self.host = host


class BodyMemory:
    """Memory for bodies, from their first byte to the end of their extraction. No person takes more than half.

    One body at a time may exceed the limit: of many concurrent bodies of which none can finish, one can.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._taken: Counter[int] = Counter()
        self._exceeding: MemoryReservation | None = None
        self._changed = threading.Condition()

    @property
    def taken(self) -> int:
        """The number of bytes reserved."""
        with self._changed:
            return self._taken.total()

    def reservation(self, person: int) -> MemoryReservation:
        """Open an empty reservation for one body."""
        return MemoryReservation(self, person)

    def _take(self, reservation: MemoryReservation, person: int, number: int) -> bool:
        with self._changed:
            if not self._changed.wait_for(lambda: self._fits(reservation, person, number), MEMORY_WAIT_SECONDS):
                return False
            self._taken[person] += number
            return True

    def _release(self, reservation: MemoryReservation, person: int, number: int) -> None:
        with self._changed:
            if self._exceeding is reservation:
                self._exceeding = None
            self._taken[person] -= number
            self._taken += Counter()  # Removes zero counts.
            self._changed.notify_all()

    def _add(self, person: int, number: int) -> None:
        with self._changed:
            self._taken[person] += number

    def _fits(self, reservation: MemoryReservation, person: int, number: int) -> bool:
        total, own = self._taken.total() + number, self._taken[person] + number
        if total <= self._limit and own <= self._limit // 2:
            return True
        if self._exceeding is None:
            self._exceeding = reservation
        return self._exceeding is reservation


class MemoryReservation:
    """The memory of one body."""

    def __init__(self, memory: BodyMemory, person: int) -> None:
        self._memory, self._person, self._bytes = memory, person, 0

    def take(self, number: int) -> None:
        """Reserve more bytes, waiting for other reservations to end if need be.

        Raises:
            MemoryFull: they did not end in time.
        """
        if self._bytes + number <= UNLIMITED_BYTES:
            self._memory._add(self._person, number)
        elif not self._memory._take(self, self._person, number):
            raise MemoryFull
        self._bytes += number

    def release(self) -> None:
        """Release all bytes."""
        self._memory._release(self, self._person, self._bytes)
        self._bytes = 0


@dataclass(frozen=True)
class FetchedClaim:
    """A claim with its fetched page, and the memory reservation of its body."""

    claim: Claim
    fetched: FetchedPage
    reservation: MemoryReservation


class ExtractionQueue:
    """Fetched pages that wait for an extraction process, first in first out, except that one person never takes all
    processes, and that large pages are extracted one at a time."""

    def __init__(self, processes: int) -> None:
        self._per_person = max(1, processes - 1)
        self._waiting: list[FetchedClaim] = []
        self._running: Counter[int] = Counter()
        self._is_large_running = False
        self._changed = threading.Condition()
        self._closed = False

    def put(self, page: FetchedClaim) -> None:
        """Add a page to the queue."""
        with self._changed:
            self._waiting.append(page)
            self._changed.notify_all()

    def take(self, seconds: float) -> FetchedClaim | None:
        """Take the next page, which runs until `finish`; None if there is none within this time, or after `close`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._next() is not None, seconds):
                return None
            index = self._next()
            if self._closed or index is None:
                return None
            page = self._waiting.pop(index)
            self._running[page.claim.person] += 1
            self._is_large_running |= page.fetched.is_large
            return page

    def finish(self, page: FetchedClaim) -> None:
        """Note that a page no longer runs."""
        with self._changed:
            self._is_large_running &= not page.fetched.is_large
            self._running[page.claim.person] -= 1
            self._running += Counter()
            self._changed.notify_all()

    def close(self) -> None:
        """Close the queue: `take` returns None from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether the queue is closed."""
        return self._closed

    def _next(self) -> int | None:
        return next((index for index, page in enumerate(self._waiting) if self._may_run(page)), None)

    def _may_run(self, page: FetchedClaim) -> bool:
        is_blocked = self._is_large_running and page.fetched.is_large
        return not is_blocked and self._running[page.claim.person] < self._per_person
