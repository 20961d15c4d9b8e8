"""Writer of capture results: stores them while their claims are held, and waits for a database that is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from loguru import logger
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.capture.extract.reading import ExtractionResult
from backend.capture.service import UNEXPECTED, Outcome, store_outcome
from backend.capture.turns import Claim, release_claims

# Time for a database to come back; after it the lease ends the claim.
STORE_SECONDS = 60.0
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Released:
    """A claim that is released without a result: for how long, and the host that its URL redirects to, if known."""

    seconds: float
    host: str | None


class OutcomeWriter:
    """Writer of results for one run."""

    def __init__(self, app: Flask, is_held: Callable[[Claim], bool]) -> None:
        """`is_held` tells whether the run still holds a claim."""
        self._app = app
        self._is_held = is_held

    def write(self, claim: Claim, result: ExtractionResult | Released) -> Outcome | None:
        """Store a result, with retries for a minute while the database is away; None if the claim is no longer held.

        A result that the database refuses is a fault of the page: it has failed.
        """
        deadline = time.monotonic() + STORE_SECONDS
        while self._is_held(claim):
            with self._app.app_context():
                try:
                    return _store(claim, result)
                except (OperationalError, InterfaceError, PoolTimeout) as error:
                    if time.monotonic() > deadline:
                        raise
                    logger.warning("capture: not stored, again in a second: {}", type(error).__name__)
                except Exception as error:
                    if result is UNEXPECTED:
                        raise
                    logger.opt(exception=error).error("capture of bookmark {} cannot be stored", claim.bookmark_id)
                    result = UNEXPECTED
                    continue
            time.sleep(RETRY_SECONDS)
        return None


def _store(claim: Claim, result: ExtractionResult | Released) -> Outcome:
    if isinstance(result, Released):
        release_claims([claim], wait_seconds=result.seconds, host=result.host)
        return Outcome("released", retry_seconds=result.seconds)
    outcome = store_outcome(claim, result)
    logger.bind(outcome=outcome.status, reason=outcome.reason).info("capture ended")
    return outcome
