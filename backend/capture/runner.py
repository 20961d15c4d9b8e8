"""Capture run: fetches many pages at once in one process, a thread each, extracts them in processes, stores results.

The dispatcher claims due bookmarks as slots become free, in fair order (`turns.py`), renews the leases of active
claims, and releases them on stop. PostgreSQL holds all state: after a crash each page is due again when its lease ends.
A run has no end of its own: when nothing is due it waits to be woken.
"""

from __future__ import annotations

import heapq
import queue
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

from flask import Flask
from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from backend.allocator import return_free_memory
from backend.bookmarks.messages import capture_message
from backend.capture.claim_fetch import fetch_claim
from backend.capture.extract.reading import ExtractionResult, IndexedPage
from backend.capture.extraction import extract_claim
from backend.capture.extractor_processes import Extractor
from backend.capture.fetch import FetchedPage
from backend.capture.outcome_writer import OutcomeWriter, Released
from backend.capture.run_bounds import RunBounds
from backend.capture.service import MAX_ATTEMPTS, NEVER_FINISHED, fetch_policy
from backend.capture.shared_limits import BodyMemory, ExtractionQueue, FetchedClaim, HostSlots
from backend.capture.turns import Claim, ClaimLimits, claim_next, is_capture_due, release_claims, renew_leases
from backend.extensions import db
from backend.index.messages import embed_message
from backend.jobs.queue import send
from config import Settings

# Slots that become free within this time are filled by one statement.
GATHER_SECONDS = 0.02
# Interval of polling for due bookmarks while claims are active.
POLL_SECONDS = 1.0
# A dispatcher that has not polled for this time is stuck.
STUCK_SECONDS = 60.0
# Extraction processes end after this time without a page.
IDLE_SECONDS = 20.0
# Minimum interval of messages to other workers.
NOTIFY_SECONDS = 5.0
STORE_THREADS = 2
# Memory for bodies: six of the default maximum length and a quarter more, or two of the configured maximum.
BODY_BYTES = 64 * 1024 * 1024


class CaptureRun:
    """A run over due bookmarks. Call `start` before `wake`; `stop` ends it for good."""

    def __init__(self, app: Flask, lines: socket.socket, bounds: RunBounds | None = None) -> None:
        """`lines` leads to `serve_extraction`."""
        settings: Settings = app.extensions["settings"]
        self._app = app
        self._bounds = bounds or RunBounds.of(settings)
        self._policy = fetch_policy(settings)
        self._lines = lines
        self._hosts = HostSlots(self._bounds.per_host)
        self._memory = BodyMemory(max(BODY_BYTES, 2 * settings.CAPTURE_MAX_BYTES))
        self._extractions = ExtractionQueue(self._bounds.processes)
        self._results: queue.SimpleQueue[tuple[Claim, ExtractionResult | Released] | None] = queue.SimpleQueue()
        self._writer = OutcomeWriter(app, self._is_held)
        self._has_vectors = settings.EMBEDDING_PROVIDER != "none"
        # All fields below change under this lock, which notifies waiters of each change.
        self._changed = threading.Condition()
        self._active: dict[int, Claim] = {}
        self._is_woken, self._has_finished, self._is_polling, self._is_stopping = False, False, False, False
        self._polled_at, self._renewed_at, self._alive_at = 0.0, time.monotonic(), time.monotonic()
        self._notified_at, self._is_embedding_due = 0.0, False
        self._disconnected_at: float | None = None
        self._last_person = 0
        # Times at which released claims are due again.
        self._retry_times: list[float] = []
        self._threads: list[threading.Thread] = []

    @property
    def is_alive(self) -> bool:
        """Whether the dispatcher polls regularly."""
        return self._threads[0].is_alive() and time.monotonic() - self._alive_at < STUCK_SECONDS

    def start(self) -> None:
        """Start the threads."""
        targets: list[Callable[[], None]] = [self._dispatch, *[self._store] * STORE_THREADS]
        targets += [self._extract] * self._bounds.processes
        self._threads = [threading.Thread(target=target, name=target.__name__, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Have the dispatcher poll now."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until nothing is due and no claim is active, at most this time; return whether it is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._has_work(), seconds)

    def stop(self, seconds: float) -> None:
        """Claim nothing more, finish what ends within this time, and release the other claims."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._active, seconds)
            unfinished = list(self._active.values())
            self._active.clear()
        self._extractions.close()
        for _ in range(STORE_THREADS):
            self._results.put(None)
        for thread in self._threads:
            thread.join(2.0)
        if unfinished:
            self._release(unfinished)

    def _release(self, claims: list[Claim]) -> None:
        with self._app.app_context():
            try:
                logger.info("capture: {} pages handed back", release_claims(claims))
            except SQLAlchemyError as error:  # Their leases end by themselves.
                logger.warning("capture: pages not handed back: {}", type(error).__name__)
            send([capture_message()])

    def _has_work(self) -> bool:
        return bool(self._active or self._retry_times or self._is_polling or self._must_poll())

    # The dispatcher.

    def _dispatch(self) -> None:
        with self._app.app_context():
            while not self._is_stopping:
                try:
                    self._poll()
                except SQLAlchemyError as error:
                    logger.warning("capture: the database is away: {}", type(error).__name__)
                    self.wake()  # Bookmarks may be due.
                    self._pause(POLL_SECONDS)
                finally:
                    db.session.remove()
                self._alive_at = time.monotonic()

    def _poll(self) -> None:
        with self._changed:
            self._changed.wait_for(self._must_poll, self._seconds_until_poll())
            if self._is_stopping:
                return
            may_claim = self._must_poll() or bool(self._active)
            self._is_woken, self._has_finished, self._is_polling = False, False, may_claim
            while self._retry_times and self._retry_times[0] <= time.monotonic():
                heapq.heappop(self._retry_times)
        try:
            self._renew()
            self._request_vectors()
            if may_claim:
                self._claim()
            self._disconnect_when_idle(is_idle=not may_claim)
        finally:
            with self._changed:
                self._is_polling = False
                self._changed.notify_all()

    def _disconnect_when_idle(self, *, is_idle: bool) -> None:
        """Close the database connections after a while without due bookmarks: each is a process of the server."""
        if not is_idle:
            self._disconnected_at = None
        elif self._disconnected_at is None and time.monotonic() - self._polled_at > IDLE_SECONDS:
            self._disconnected_at = time.monotonic()
            db.session.remove()
            db.engine.dispose()

    def _must_poll(self) -> bool:
        # Called under the lock, like the next function.
        is_retry_due = bool(self._retry_times) and self._retry_times[0] <= time.monotonic()
        return self._is_stopping or self._is_woken or self._has_finished or is_retry_due

    def _seconds_until_poll(self) -> float:
        interval = POLL_SECONDS if self._active or self._is_embedding_due else IDLE_SECONDS / 4
        return max(min([interval, *(at - time.monotonic() for at in self._retry_times[:1])]), 0)

    def _claim(self) -> None:
        self._pause(GATHER_SECONDS - (time.monotonic() - self._polled_at))
        self._polled_at = time.monotonic()
        with self._changed:
            by_person = Counter(claim.person for claim in self._active.values())
        bounds = self._bounds
        free = bounds.concurrency - by_person.total()
        if free <= 0 or self._is_stopping:
            return
        limits = ClaimLimits(free, bounds.per_person, bounds.alone, bounds.per_host)
        claims = claim_next(limits, here=by_person, busy=self._hosts.full_hosts(), after=self._last_person)
        for claim in claims:
            self._last_person = claim.person
            self._begin(claim)
        if claims:
            self._notify_others()

    def _begin(self, claim: Claim) -> None:
        with self._changed:
            self._active[claim.bookmark_id] = claim
        if claim.attempt > MAX_ATTEMPTS:
            self._results.put((claim, NEVER_FINISHED))
        else:
            threading.Thread(target=self._fetch, args=(claim,), name="fetch", daemon=True).start()

    def _notify_others(self) -> None:
        """Wake another worker where more is due than this process claims."""
        if time.monotonic() - self._notified_at > NOTIFY_SECONDS and is_capture_due():
            self._notified_at = time.monotonic()
            send([capture_message()])

    def _renew(self) -> None:
        now = time.monotonic()
        if now - self._renewed_at < self._bounds.lease_seconds / 4:
            return
        self._renewed_at = now
        with self._changed:
            active = list(self._active.values())
        if active:
            renew_leases(active)

    def _request_vectors(self) -> None:
        with self._changed:
            is_due, self._is_embedding_due = self._is_embedding_due, False
        if is_due:
            send([embed_message()])

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, max(seconds, 0))

    # One thread for each fetch.

    def _fetch(self, claim: Claim) -> None:
        reservation = self._memory.reservation(claim.person)
        fetched = fetch_claim(claim, self._policy, self._hosts, reservation)
        if isinstance(fetched, FetchedPage):
            self._extractions.put(FetchedClaim(claim, fetched, reservation))
        else:
            reservation.release()
            self._results.put((claim, fetched))

    # One thread for each extraction process.

    def _extract(self) -> None:
        extractor = Extractor(self._lines, self._bounds.extraction)
        while not self._extractions.is_closed:
            page = self._extractions.take(IDLE_SECONDS)
            if page is None:
                extractor.close()
                continue
            try:
                result = extract_claim(extractor, page.claim, page.fetched)
            finally:
                page.reservation.release()
                self._extractions.finish(page)
            self._results.put((page.claim, result))
            del page, result  # Frees both before the wait for the next page.
        extractor.close()

    # Few threads that store results, each with one database connection.

    def _store(self) -> None:
        while (item := self._results.get()) is not None:
            claim, result = item
            with claim.step("store"):
                self._write(claim, result)
            self._finish(claim)
            is_large = isinstance(result, IndexedPage) and result.is_large
            del item, result  # Frees the page before the wait for the next one.
            if is_large:
                return_free_memory()

    def _write(self, claim: Claim, result: ExtractionResult | Released) -> None:
        try:
            outcome = self._writer.write(claim, result)
        except Exception as error:  # The lease ends the claim.
            logger.opt(exception=error).error("capture of bookmark {} was not written", claim.bookmark_id)
        else:
            if outcome is not None:
                self._note(outcome.status, outcome.retry_seconds)

    def _note(self, status: str, retry_seconds: float) -> None:
        with self._changed:
            if status == "released":
                heapq.heappush(self._retry_times, time.monotonic() + retry_seconds)
            elif self._has_vectors and status in ("captured", "skipped", "failed"):
                self._is_embedding_due = True

    def _is_held(self, claim: Claim) -> bool:
        with self._changed:
            return self._active.get(claim.bookmark_id) is claim

    def _finish(self, claim: Claim) -> None:
        with self._changed:
            if self._active.get(claim.bookmark_id) is claim:
                del self._active[claim.bookmark_id]
            self._has_finished = True
            self._changed.notify_all()
