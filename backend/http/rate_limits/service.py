"""Count requests against the limits of their class, and refuse those that are too many."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app, g
from limits.errors import StorageError

from backend.errors import TooManyRequests
from backend.extensions import limiter
from backend.http.rate_limits.charge import Charge, RateLimits, RequestLimits, request_limits
from backend.http.rate_limits.strategy import SlidingWindows
from backend.http.rate_limits.windows import Verdict, tighter


def rate_limits() -> RateLimits:
    """Return the limits of the running application."""
    return cast(RateLimits, current_app.extensions["rate_limits"])


def begin_limits(charge: Charge, reply: Any) -> None:
    """Attach to the current request what it counts against and what Redis has replied; None while Redis is away."""
    g.rate_limits = RequestLimits(charge, reply)
    if reply is None and charge.item is not None:
        charge.rules.note_source(is_alone=True)


def settle_limits(charge: Charge, reply: Any) -> None:
    """Take the verdict on the current request from what Redis has replied before Flask began.

    It is what Flask-Limiter's check would come to, which finds no more than this reply.

    Raises:
        TooManyRequests: with the seconds to wait.
    """
    verdict = charge.decode(reply)
    g.rate_limits = RequestLimits(charge, reply, verdict)
    refuse_if_full(verdict)


def count(charge: Charge) -> Verdict | None:
    """Count a request by itself: in Redis, else in this process. One round trip; None where it is not limited."""
    if charge.item is None:
        return None
    try:
        verdict = _strategy(limiter.in_redis).count(charge.item, charge.names, charge.bounded_cost, charge.refund)
    except StorageError:
        charge.rules.note_source(is_alone=True)
        return _strategy(limiter.in_memory).count(charge.item, charge.names, charge.bounded_cost)
    charge.rules.note_source(is_alone=False)
    return verdict


def enforce(charge: Charge) -> None:
    """Count a request by itself, and refuse it if it is too much; the verdict replaces an earlier one.

    Raises:
        TooManyRequests: with the seconds to wait.
    """
    limits = request_limits()
    if limits is None:
        g.rate_limits = limits = RequestLimits(charge)
    limits.verdict = count(charge)
    refuse_if_full(limits.verdict)


def enforce_also(charge: Charge) -> None:
    """Count a request for another subject too; the tighter verdict holds.

    Raises:
        TooManyRequests: with the seconds to wait.
    """
    limits, verdict = request_limits(), count(charge)
    if limits is not None and verdict is not None:
        limits.verdict = verdict = tighter(limits.verdict, verdict) if limits.verdict else verdict
        refuse_if_full(verdict)


def refuse_if_full(verdict: Verdict | None) -> None:
    """Refuse a request whose verdict says so.

    Raises:
        TooManyRequests: with the seconds to wait.
    """
    if verdict is not None and not verdict.passes:
        raise TooManyRequests(retry_after=verdict.retry_after)


def _strategy(strategy: object) -> SlidingWindows:
    return cast(SlidingWindows, strategy)
