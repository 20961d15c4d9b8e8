"""What the fetches of one process share: places at each host, memory for bodies, processes for extraction."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backend.capture.fetch import FetchedPage
from backend.capture.turns import Claim
from backend.text.urls import domain_of

# So much of a body comes in whatever the others hold: most pages are no longer.
UNLIMITED_BYTES = 128 * 1024
# So long a fetch waits for others to let go of memory.
MEMORY_WAIT_SECONDS = 5.0


class HostBusy(Exception):
    """A redirect leads to a host that has no place at the moment."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


class MemoryFull(Exception):
    """The bodies that are being read fill the memory that they may take."""


class HostSlots:
    """At which hosts this process is, redirects followed."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._at: Counter[str] = Counter()
        self._lock = threading.Lock()

    def full(self) -> list[str]:
        """The hosts without a place."""
        with self._lock:
            return [host for host, number in self._at.items() if number >= self._per_host]

    @contextmanager
    def visiting(self) -> Iterator[HostVisit]:
        """One fetch: it is at one host at a time, and at none in the end."""
        visit = HostVisit(self)
        try:
            yield visit
        finally:
            self._move(visit.host, None)

    def _move(self, before: str | None, to: str | None) -> None:
        with self._lock:
            if to is not None:
                if self._at[to] >= self._per_host:
                    raise HostBusy(to)
                self._at[to] += 1
            if before is not None:
                self._at[before] -= 1
                self._at += Counter()  # Drops what is at zero.


class HostVisit:
    """Where one fetch is."""

    def __init__(self, visits: HostSlots) -> None:
        self._visits = visits
        self.host: str | None = None

    def enter(self, url: str) -> None:
        """Go to an address.

        Raises:
            HostBusy: its host has no place.
        """
        host = domain_of(url)
        if host != self.host:
            self._visits._move(self.host, host)
            self.host = host


class BodyMemory:
    """Memory for bodies, between their first byte and the end of their extraction. No person takes more than half.

    One body at a time may go beyond: of many that came in together, none of which can end, one can.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._taken: Counter[int] = Counter()
        self._beyond: MemoryReservation | None = None
        self._changed = threading.Condition()

    @property
    def taken(self) -> int:
        """Bytes at the moment."""
        with self._changed:
            return self._taken.total()

    def part(self, person: int) -> MemoryReservation:
        """The part of one body, still empty."""
        return MemoryReservation(self, person)

    def _take(self, part: MemoryReservation, person: int, number: int) -> bool:
        with self._changed:
            if not self._changed.wait_for(lambda: self._fits(part, person, number), MEMORY_WAIT_SECONDS):
                return False
            self._taken[person] += number
            return True

    def _release(self, part: MemoryReservation, person: int, number: int) -> None:
        with self._changed:
            if self._beyond is part:
                self._beyond = None
            self._taken[person] -= number
            self._taken += Counter()  # Drops who holds nothing.
            self._changed.notify_all()

    def _add(self, person: int, number: int) -> None:
        with self._changed:
            self._taken[person] += number

    def _fits(self, part: MemoryReservation, person: int, number: int) -> bool:
        whole, own = self._taken.total() + number, self._taken[person] + number
        if whole <= self._limit and own <= self._limit // 2:
            return True
        if self._beyond is None:
            self._beyond = part
        return self._beyond is part


class MemoryReservation:
    """What one body takes."""

    def __init__(self, room: BodyMemory, person: int) -> None:
        self._room, self._person, self._bytes = room, person, 0

    def take(self, number: int) -> None:
        """Take so many bytes more, waiting for others to let go if need be.

        Raises:
            MemoryFull: they did not.
        """
        if self._bytes + number <= UNLIMITED_BYTES:
            self._room._add(self._person, number)
        elif not self._room._take(self, self._person, number):
            raise MemoryFull
        self._bytes += number

    def release(self) -> None:
        """Let go of all."""
        self._room._release(self, self._person, self._bytes)
        self._bytes = 0


@dataclass(frozen=True)
class FetchedClaim:
    """A claim whose page was fetched, and the memory that its body takes."""

    claim: Claim
    fetched: FetchedPage
    part: MemoryReservation


class ExtractionQueue:
    """Pages that were fetched and wait for a process: in the order in which they came, but nobody's take all of
    them."""

    def __init__(self, processes: int) -> None:
        self._each = max(1, processes - 1)
        self._waiting: list[FetchedClaim] = []
        self._running: Counter[int] = Counter()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, page: FetchedClaim) -> None:
        """Have a page wait for its turn."""
        with self._changed:
            self._waiting.append(page)
            self._changed.notify_all()

    def take(self, seconds: float) -> FetchedClaim | None:
        """The next page, which runs until `ended`; None if there is none for so long, or ever again."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._next() is not None, seconds):
                return None
            at = self._next()
            if self._closed or at is None:
                return None
            page = self._waiting.pop(at)
            self._running[page.claim.person] += 1
            return page

    def ended(self, claim: Claim) -> None:
        """A page that was taken no longer runs."""
        with self._changed:
            self._running[claim.person] -= 1
            self._running += Counter()
            self._changed.notify_all()

    def close(self) -> None:
        """Give nothing out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether nothing is given out any more."""
        return self._closed

    def _next(self) -> int | None:
        places = (at for at, page in enumerate(self._waiting) if self._running[page.claim.person] < self._each)
        return next(places, None)
