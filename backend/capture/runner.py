"""Many pages at once in one process: a thread waits for each fetch, processes extract, and what is read is stored.

The dispatcher claims what is due as places get free, in fair order (`turns.py`), renews the leases of what is under
way, and lets go of it when it is told to stop. PostgreSQL is the truth: of a run that dies, each page is due again when
its lease is over. A run has no end of its own: without anything due it waits to be woken.
"""

from __future__ import annotations

import ctypes
import heapq
import os
import queue
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flask import Flask
from loguru import logger
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.bookmarks.messages import capture_message
from backend.capture.extract.reading import ExtractionResult
from backend.capture.extractor_processes import (
    ExtractionBounds,
    ExtractionDied,
    ExtractionHung,
    Extractor,
    serve_extraction,
)
from backend.capture.fetch import FetchedPage, fetch_page
from backend.capture.service import MAX_ATTEMPTS, NEVER_FINISHED, UNEXPECTED, fetch_policy, store_outcome
from backend.capture.shared_limits import BodyMemory, ExtractionQueue, FetchedClaim, HostBusy, HostSlots, MemoryFull
from backend.capture.turns import Claim, ClaimLimits, claim_next, is_capture_due, release_claims, renew_leases
from backend.extensions import db
from backend.index.messages import embed_message
from backend.jobs.queue import send
from backend.outbound.failures import FetchError
from config import Settings

# One person's slow links leave this share of the places to whoever comes next.
RESERVED_SHARE = 0.2
# Slots that get free within this time are filled by one statement.
GATHER_SECONDS = 0.02
# While something is under way, what else has become due is looked for so often.
POLL_SECONDS = 1.0
# A dispatcher that has not looked around for so long is stuck.
STUCK_SECONDS = 60.0
# Without a page for so long, the processes of extraction end.
IDLE_SECONDS = 20.0
# So often at most other workers are told that more is due than one takes.
NOTIFY_SECONDS = 5.0
STORE_THREADS = 2
M_ARENA_MAX = -8  # malloc.h
# For bodies, when each may have its longest; else a quarter more than six of those.
BODY_BYTES = 64 * 1024 * 1024
# What was read waits so long for a database that is away; then its lease is over.
STORE_SECONDS = 60.0
# When a page is tried again that found its host, or the memory, full.
HOST_BUSY_SECONDS, MEMORY_FULL_SECONDS = 1.0, 10.0
DIED = FetchError("This page ends the process that reads it.", retryable=True)
HUNG = FetchError("ExtractionResult this page takes too long.", retryable=True)


@dataclass(frozen=True)
class Released:
    """A page is not read now: when it may be taken again, and whose turn it counts for then, if the address told."""

    seconds: float
    host: str | None


@dataclass(frozen=True)
class RunBounds:
    """How much one run does at once."""

    concurrency: int
    per_person: int
    per_host: int
    processes: int
    lease_seconds: float
    extraction: ExtractionBounds

    @classmethod
    def of(cls, settings: Settings) -> RunBounds:
        """As the settings say. A person's pages have as many processes as there are cores, and one
        more is left to others: no page that hangs holds up all."""
        return cls(
            concurrency=settings.CAPTURE_CONCURRENCY,
            per_person=settings.CAPTURE_PER_PERSON,
            per_host=settings.CAPTURE_PER_HOST,
            processes=(os.cpu_count() or 1) + 1,
            lease_seconds=settings.CAPTURE_LEASE_SECONDS,
            extraction=ExtractionBounds(settings.CAPTURE_EXTRACT_SECONDS),
        )

    @property
    def alone(self) -> int:
        """What one person may have under way while nobody else waits."""
        return max(self.per_person, self.concurrency - max(1, round(self.concurrency * RESERVED_SHARE)))


class CaptureRun:
    """Reads what is due. `start` before `wake`; after `stop` it is over."""

    def __init__(self, app: Flask, lines: socket.socket, bounds: RunBounds | None = None) -> None:
        """`lines` leads to `serve_extraction`."""
        settings: Settings = app.extensions["settings"]
        self._app = app
        self._bounds = bounds or RunBounds.of(settings)
        self._policy = fetch_policy(settings)
        self._lines = lines
        self._visits = HostSlots(self._bounds.per_host)
        self._room = BodyMemory(max(BODY_BYTES, 2 * settings.CAPTURE_MAX_BYTES))
        self._turns = ExtractionQueue(self._bounds.processes)
        self._read: queue.SimpleQueue[tuple[Claim, ExtractionResult | Released] | None] = queue.SimpleQueue()
        self._wants_vectors = settings.EMBEDDING_PROVIDER != "none"
        # All below changes under this lock, and its change is told.
        self._changed = threading.Condition()
        self._under_way: dict[int, Claim] = {}
        self._is_woken, self._has_ended, self._is_looking, self._is_stopping = False, False, False, False
        self._looked_at, self._renewed_at, self._ticked_at = 0.0, time.monotonic(), time.monotonic()
        self._told_at, self._embed_due = 0.0, False
        self._rested_at: float | None = None
        self._last_person = 0
        # When something is due again that this run has let go of.
        self._due_again: list[float] = []
        self._threads: list[threading.Thread] = []

    @property
    def is_alive(self) -> bool:
        """Whether the dispatcher looks around as it should."""
        return self._threads[0].is_alive() and time.monotonic() - self._ticked_at < STUCK_SECONDS

    def start(self) -> None:
        """Begin."""
        works: list[Callable[[], None]] = [self._dispatch, *[self._store] * STORE_THREADS]
        works += [self._extract] * self._bounds.processes
        self._threads = [threading.Thread(target=work, name=work.__name__, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that something may be due."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until nothing is due and nothing under way, but no longer than this; whether it is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._has_work(), seconds)

    def stop(self, seconds: float) -> None:
        """Claim nothing more, finish what ends within so many seconds, and let go of the rest."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._under_way, seconds)
            left = list(self._under_way.values())
            self._under_way.clear()
        self._turns.close()
        for _ in range(STORE_THREADS):
            self._read.put(None)
        for thread in self._threads:
            thread.join(2.0)
        if left:
            self._hand_back(left)

    def _hand_back(self, claims: list[Claim]) -> None:
        with self._app.app_context():
            try:
                logger.info("capture: {} pages handed back", release_claims(claims))
            except SQLAlchemyError as error:  # Then their leases end.
                logger.warning("capture: pages not handed back: {}", type(error).__name__)
            send([capture_message()])

    def _has_work(self) -> bool:
        return bool(self._under_way or self._due_again or self._is_looking or self._must_look())

    # The dispatcher.

    def _dispatch(self) -> None:
        with self._app.app_context():
            while not self._is_stopping:
                try:
                    self._look()
                except SQLAlchemyError as error:
                    logger.warning("capture: the database is away: {}", type(error).__name__)
                    self.wake()  # It is not known that nothing is due.
                    self._pause(POLL_SECONDS)
                finally:
                    db.session.remove()
                self._ticked_at = time.monotonic()

    def _look(self) -> None:
        with self._changed:
            self._changed.wait_for(self._must_look, self._seconds_until_look())
            if self._is_stopping:
                return
            must = self._must_look() or bool(self._under_way)
            self._is_woken, self._has_ended, self._is_looking = False, False, must
            while self._due_again and self._due_again[0] <= time.monotonic():
                heapq.heappop(self._due_again)
        try:
            self._renew()
            self._ask_for_vectors()
            if must:
                self._claim()
            self._rest(is_idle=not must)
        finally:
            with self._changed:
                self._is_looking = False
                self._changed.notify_all()

    def _rest(self, *, is_idle: bool) -> None:
        """Give back the connections to the database when nothing has been due for a while: each is a process there."""
        if not is_idle:
            self._rested_at = None
        elif self._rested_at is None and time.monotonic() - self._looked_at > IDLE_SECONDS:
            self._rested_at = time.monotonic()
            db.session.remove()
            db.engine.dispose()

    def _must_look(self) -> bool:
        # Called under the lock, as what follows.
        is_due_again = bool(self._due_again) and self._due_again[0] <= time.monotonic()
        return self._is_stopping or self._is_woken or self._has_ended or is_due_again

    def _seconds_until_look(self) -> float:
        usual = POLL_SECONDS if self._under_way or self._embed_due else IDLE_SECONDS / 4
        return max(min([usual, *(at - time.monotonic() for at in self._due_again[:1])]), 0)

    def _claim(self) -> None:
        self._pause(GATHER_SECONDS - (time.monotonic() - self._looked_at))
        self._looked_at = time.monotonic()
        with self._changed:
            here = Counter(claim.person for claim in self._under_way.values())
        bounds = self._bounds
        free = bounds.concurrency - here.total()
        if free <= 0 or self._is_stopping:
            return
        places = ClaimLimits(free, bounds.per_person, bounds.alone, bounds.per_host)
        claims = claim_next(places, here=here, busy=self._visits.full(), after=self._last_person)
        for claim in claims:
            self._last_person = claim.person
            self._begin(claim)
        if claims:
            self._tell_others()

    def _begin(self, claim: Claim) -> None:
        with self._changed:
            self._under_way[claim.bookmark_id] = claim
        if claim.attempt > MAX_ATTEMPTS:
            self._read.put((claim, NEVER_FINISHED))
        else:
            threading.Thread(target=self._fetch, args=(claim,), name="fetch", daemon=True).start()

    def _tell_others(self) -> None:
        """Where more is due than this process takes, another worker, if there is one, is woken too."""
        if time.monotonic() - self._told_at > NOTIFY_SECONDS and is_capture_due():
            self._told_at = time.monotonic()
            send([capture_message()])

    def _renew(self) -> None:
        now = time.monotonic()
        if now - self._renewed_at < self._bounds.lease_seconds / 4:
            return
        self._renewed_at = now
        with self._changed:
            held = list(self._under_way.values())
        if held:
            renew_leases(held)

    def _ask_for_vectors(self) -> None:
        with self._changed:
            due, self._embed_due = self._embed_due, False
        if due:
            send([embed_message()])

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, max(seconds, 0))

    # One thread for each fetch.

    def _fetch(self, claim: Claim) -> None:
        part = self._room.part(claim.person)
        try:
            with self._visits.visiting() as visit:
                policy = replace(self._policy, enter=visit.enter, take_room=part.take)
                fetched = fetch_page(claim.url, policy)
        except HostBusy as full:
            part.release()
            self._read.put((claim, Released(HOST_BUSY_SECONDS, full.host)))
        except MemoryFull:
            part.release()
            self._read.put((claim, Released(MEMORY_FULL_SECONDS, None)))
        except FetchError as failure:
            part.release()
            self._read.put((claim, failure))
        except Exception as error:
            part.release()
            logger.opt(exception=error).error("capture of bookmark {} failed", claim.bookmark_id)
            self._read.put((claim, UNEXPECTED))
        else:
            self._turns.put(FetchedClaim(claim, fetched, part))

    # One thread for each process of extraction.

    def _extract(self) -> None:
        extractor = Extractor(self._lines, self._bounds.extraction)
        while not self._turns.is_closed:
            waiting = self._turns.take(IDLE_SECONDS)
            if waiting is None:
                extractor.close()
                continue
            try:
                reading = _extraction(extractor, waiting.claim, waiting.fetched)
            finally:
                waiting.part.release()
                self._turns.ended(waiting.claim)
            self._read.put((waiting.claim, reading))
            del waiting  # Its body goes before the wait for the next.
        extractor.close()

    # What was read is stored, what was not is let go of: by few threads, each with one connection to the database.

    def _store(self) -> None:
        while (read := self._read.get()) is not None:
            claim, end = read
            try:
                self._write(claim, end)
            except Exception as error:  # The lease ends it.
                logger.opt(exception=error).error("capture of bookmark {} was not written", claim.bookmark_id)
            self._ended(claim)

    def _write(self, claim: Claim, end: ExtractionResult | Released) -> None:
        """Write how it ended. While the database is away, try for a minute; what it refuses is a fault of the page."""
        deadline = time.monotonic() + STORE_SECONDS
        while self._holds(claim):
            with self._app.app_context():
                try:
                    self._settle(claim, end)
                    return
                except (OperationalError, InterfaceError, PoolTimeout) as error:
                    if time.monotonic() > deadline:
                        raise
                    logger.warning("capture: not stored, again in a second: {}", type(error).__name__)
                except Exception as error:
                    if end is UNEXPECTED:
                        raise
                    logger.opt(exception=error).error("capture of bookmark {} cannot be stored", claim.bookmark_id)
                    end = UNEXPECTED
                    continue
            time.sleep(POLL_SECONDS)

    def _settle(self, claim: Claim, end: ExtractionResult | Released) -> None:
        if isinstance(end, Released):
            release_claims([claim], wait_seconds=end.seconds, host=end.host)
            with self._changed:
                heapq.heappush(self._due_again, time.monotonic() + end.seconds)
            return
        outcome = store_outcome(claim, end)
        logger.bind(bookmark_id=claim.bookmark_id, outcome=outcome.status, reason=outcome.reason).info("capture ended")
        if self._wants_vectors and outcome.status in ("captured", "skipped", "failed"):
            with self._changed:
                self._embed_due = True

    def _holds(self, claim: Claim) -> bool:
        with self._changed:
            return self._under_way.get(claim.bookmark_id) is claim

    def _ended(self, claim: Claim) -> None:
        with self._changed:
            if self._under_way.get(claim.bookmark_id) is claim:
                del self._under_way[claim.bookmark_id]
            self._has_ended = True
            self._changed.notify_all()


def _extraction(extractor: Extractor, claim: Claim, fetched: FetchedPage) -> ExtractionResult:
    # Of a process that died once, another may have been the cause: the page tells by ending the next one too.
    for _ in range(2):
        try:
            return extractor.read(fetched, claim.page_average)
        except ExtractionDied:
            logger.warning("the process that read bookmark {} has died", claim.bookmark_id)
        except ExtractionHung:
            logger.warning("reading bookmark {} took too long", claim.bookmark_id)
            return HUNG
        except Exception as error:
            logger.opt(exception=error).error("bookmark {} could not be extracted", claim.bookmark_id)
            return UNEXPECTED
    return DIED


@contextmanager
def running_capture(app: Flask, bounds: RunBounds | None = None) -> Iterator[CaptureRun]:
    """A run of its own in a process without other threads, with a process for extraction that ends with it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = os.fork()
        if pid == 0:
            ours.close()
            serve_extraction(theirs)
            os._exit(0)
        theirs.close()
        run = CaptureRun(app, ours, bounds)
        run.start()
        try:
            yield run
        finally:
            run.stop(0)
            ours.close()
            os.waitpid(pid, 0)


def limit_arenas() -> None:
    """Have all threads of this process share two heaps: with one for each thread, what one has freed no other uses."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, 2)


def capture_until_idle(app: Flask, seconds: float) -> None:
    """Read what is due until nothing is, here and now."""
    if is_capture_due():
        with running_capture(app) as run:
            run.wake()
            run.wait_until_idle(seconds)
