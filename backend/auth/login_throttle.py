"""Login throttle: exponential back-off after failed passwords, for each account and each address (R-AUTH 7).

Only failures of the last 15 minutes count: five for an account and thirty for an address are free; each later one opens
a wait that doubles. An attempt begins only if it could fail without passing the limit; where that depends on attempts
under way it waits for them a moment. So many attempts at once do not pass the limit, and many right passwords at once
succeed. A device that the account knows is delayed by its own failures alone: others cannot keep a person out.

Without Redis each process counts for itself.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, cast
from uuid import uuid4

from backend.auth.devices import UNKNOWN_DEVICE, DeviceRecognition
from backend.errors import TooManyRequests
from backend.http.client_addresses import address_digest
from backend.named_blocks import read_blocks
from backend.observability.metrics.recording import record_login
from backend.redis.client import resilient_redis
from backend.redis.resilient import Script

ACCOUNT_FAILURES, ADDRESS_FAILURES, WINDOW_SECONDS = 5, 30, 900
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 2, 900
# Longest wait for attempts under way, its polling interval, and the lease of an attempt.
LONGEST_TURN_SECONDS, LOOK_SECONDS, LEASE_SECONDS = 2.0, 0.03, 30
KEY = "fuze:tries:"
SCRIPTS = read_blocks(Path(__file__).with_suffix(".lua"))
BEGIN, END = Script(SCRIPTS["begin"]), Script(SCRIPTS["end"])

Outcome = Literal["failed", "right", "void"]


@dataclass(frozen=True)
class FailureCounter:
    """Failure counter: its key, and how many failures are free."""

    key: str
    limit: int


@dataclass
class LoginAttempt:
    """LoginAttempt at a password. Call `failed` or `succeeded` within `with`; without either it does not count.

    Attributes:
        id: The identity of the attempt.
        counters: The counters of its failure; a right password clears the first.
    """

    id: str
    counters: tuple[FailureCounter, ...]
    _outcome: Outcome = "void"

    def failed(self) -> None:
        """Count a failure; past the limit the next attempt has to wait."""
        self._outcome = "failed"

    def succeeded(self) -> None:
        """Count a right password: earlier failures are cleared."""
        self._outcome = "right"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keys, limits = [counter.key for counter in self.counters], [counter.limit for counter in self.counters]
        values = self.id, self._outcome, int(WINDOW_SECONDS * 1000), FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, *limits
        is_stored = resilient_redis().execute(lambda: [END.command(keys, *values)]) is not None
        _memory.end(self.id, self.counters, self._outcome if not is_stored or self._outcome == "right" else "void")


def begin_attempt(account: str, address: str, known: DeviceRecognition = UNKNOWN_DEVICE) -> LoginAttempt:
    """Begin an attempt, as soon as those under way leave room for it. One round trip for each poll.

    Args:
        account: The identity of the account: the same for all its names; also for a name that nobody has.
        address: The address of the client.
        known: The recognition of the device.

    Raises:
        TooManyRequests: the account or the address has to wait; carries for how long.
    """
    guards, counters = _counters(account, address, known)
    attempt, end = LoginAttempt(uuid4().hex, counters), time.monotonic() + LONGEST_TURN_SECONDS
    while True:
        wait, is_busy = _begin(attempt.id, guards)
        if wait > 0:
            record_login("throttled")
            raise TooManyRequests("Too many failed logins. Wait a little, then try again.", retry_after=wait)
        if not is_busy:
            return attempt
        if time.monotonic() >= end:
            record_login("throttled")
            raise TooManyRequests("Too many logins at once. Try again in a moment.", retry_after=1)
        time.sleep(LOOK_SECONDS)


def _counters(
    account: str, address: str, known: DeviceRecognition
) -> tuple[tuple[FailureCounter, ...], tuple[FailureCounter, ...]]:
    """Return the counters that can delay the attempt, and those that count its failure.

    A device with a valid cookie is delayed by its own failures alone. A known address counts on as an address: other
    people there may attack other accounts.
    """
    of_account = FailureCounter(f"{KEY}account:{_digest(account)}", ACCOUNT_FAILURES)
    of_address = FailureCounter(f"{KEY}address:{address_digest(address)}", ADDRESS_FAILURES)
    if known.device is not None:
        own = FailureCounter(f"{KEY}device:{_digest(f'{account} {known.device}')}", ACCOUNT_FAILURES)
        return (own,), (own, of_account, of_address)
    if known.address:
        there = FailureCounter(f"{KEY}there:{_digest(f'{account} {address_digest(address)}')}", ACCOUNT_FAILURES)
        return (there, of_address), (there, of_address, of_account)
    return (of_account, of_address), (of_account, of_address)


def _begin(attempt: str, guards: tuple[FailureCounter, ...]) -> tuple[float, bool]:
    """Begin an attempt; else return the seconds to wait, or whether too many others are under way."""
    keys, limits = [counter.key for counter in guards], [counter.limit for counter in guards]
    values = attempt, int(LEASE_SECONDS * 1000), int(WINDOW_SECONDS * 1000), *limits
    replies = resilient_redis().execute(lambda: [BEGIN.command(keys, *values)])
    if replies is None:
        return _memory.begin(attempt, guards)
    wait, is_busy = cast("list[int]", replies[0])
    return wait / 1000, bool(is_busy)


@dataclass
class _Count:
    failures: list[float] = field(default_factory=list)
    wait_until: float = 0.0
    busy: dict[str, float] = field(default_factory=dict)


@dataclass
class _Memory:
    """Counters of this process by the same rules, for outages of Redis."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: dict[str, _Count] = field(default_factory=dict)

    def begin(self, attempt: str, guards: tuple[FailureCounter, ...]) -> tuple[float, bool]:
        with self.lock:
            now = time.monotonic()
            counts = [self._count(guard, now) for guard in guards]
            wait = max(count.wait_until - now for count in counts)
            if wait > 0:
                return wait, False
            for guard, count in zip(guards, counts, strict=True):
                if len(count.busy) >= max(1, guard.limit - len(count.failures)):
                    return 0.0, True
            for count in counts:
                count.busy[attempt] = now + LEASE_SECONDS
            return 0.0, False

    def end(self, attempt: str, counters: tuple[FailureCounter, ...], outcome: Outcome) -> None:
        with self.lock:
            now = time.monotonic()
            for counter in counters:
                if outcome == "failed":
                    self._fail(counter, now)
                if counter.key in self.counts:
                    self.counts[counter.key].busy.pop(attempt, None)
            if outcome == "right":
                self.counts.pop(counters[0].key, None)

    def _fail(self, counter: FailureCounter, now: float) -> None:
        count = self._count(counter, now)
        count.failures.append(now)
        over = len(count.failures) - counter.limit
        if over >= 0:
            count.wait_until = now + min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(over, 20))

    def _count(self, counter: FailureCounter, now: float) -> _Count:
        if len(self.counts) > MAX_COUNTERS:
            self.counts = {key: count for key, count in self.counts.items() if _is_alive(count, now)}
        count = self.counts.setdefault(counter.key, _Count())
        count.failures = [at for at in count.failures if at > now - WINDOW_SECONDS]
        count.busy = {attempt: until for attempt, until in count.busy.items() if until > now}
        return count


def _is_alive(count: _Count, now: float) -> bool:
    return bool(count.busy) or any(at > now - WINDOW_SECONDS for at in count.failures)


_memory = _Memory()
MAX_COUNTERS = 10_000


def _digest(text: str) -> str:
    # Redis must not hold names of people.
    return hashlib.sha256(text.encode()).hexdigest()[:32]
