"""A run of checks: a few links at once, one at a time at each host with a pause, for a bounded time."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from flask import Flask
from loguru import logger

from backend.capture.fetch import FetchPolicy, LinkStatus, fetch_status
from backend.capture.link_checks.service import LinkClaim, claim_links, put_off, settle_check
from backend.capture.service import fetch_policy
from backend.capture.shared_limits import HostBusy, HostSlots
from backend.outbound.failures import FetchError
from config import Settings

CONCURRENCY = 8
PER_HOST = 1
# Between two requests to one host.
PAUSE_SECONDS = 2.0
# After that the queue is left to others; the next run goes on.
RUN_SECONDS = 60.0
LOOK_SECONDS = 0.5
Result = LinkStatus | FetchError | None


class CheckRun:
    """What one run has under way."""

    def __init__(self, settings: Settings, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._policy = fetch_policy(settings)
        self._visits = HostSlots(PER_HOST)
        self._pause_seconds = pause_seconds
        # Until when a host is left alone.
        self._resting: dict[str, float] = {}
        self._under_way: dict[Future[Result], LinkClaim] = {}

    def work(self, seconds: float) -> int:
        """Check what is due for so long, or until nothing is; how many links were checked."""
        end, checked = time.monotonic() + seconds, 0
        with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="link-check") as pool:
            while self._begin(pool, is_over=time.monotonic() > end):
                done, _ = wait(self._under_way, LOOK_SECONDS, FIRST_COMPLETED)
                for future in done:
                    self._settle(self._under_way.pop(future), future.result())
                checked += len(done)
        return checked

    def _begin(self, pool: ThreadPoolExecutor, *, is_over: bool) -> bool:
        """Begin what there is room for; whether anything is under way, or a host that rests."""
        now = time.monotonic()
        self._resting = {host: until for host, until in self._resting.items() if until > now}
        free = CONCURRENCY - len(self._under_way)
        busy = [*self._resting, *(claim.host for claim in self._under_way.values())]
        for claim in [] if is_over or not free else claim_links(free, busy):
            if claim.is_checked:
                policy = replace(self._policy, headers=claim.validators)
                self._under_way[pool.submit(_check, claim, policy, self._visits)] = claim
            else:
                put_off(claim, 1)
        if not self._under_way and self._resting and not is_over:
            time.sleep(min(self._resting.values()) - now)
        return bool(self._under_way) or (bool(self._resting) and not is_over)

    def _settle(self, claim: LinkClaim, result: Result) -> None:
        self._resting[claim.host] = time.monotonic() + self._pause_seconds
        if result is None:
            put_off(claim, 1)
        else:
            settle_check(claim, result)


def check_due_links(app: Flask) -> None:
    """Check links that are due, where the settings ask for it."""
    settings: Settings = app.extensions["settings"]
    if not settings.LINK_CHECK_DAYS:
        return
    checked = CheckRun(settings).work(RUN_SECONDS)
    if checked:
        logger.info("links: {} checked", checked)


def _check(claim: LinkClaim, policy: FetchPolicy, visits: HostSlots) -> Result:
    """The answer of a link; None where it leads to a host that is busy."""
    try:
        with visits.visit() as visit:
            return fetch_status(claim.url, replace(policy, enter=visit.enter))
    except HostBusy:
        return None
    except FetchError as failure:
        return failure
