"""Three sliding windows checked together: one request counts in all of them, or in none (R-LIMIT 1).

A window is cut into 60 slots, and one slot more is stored: no stretch as long as the window passes more than its limit,
and a request counts for up to a sixtieth of the window longer. The clock is Redis's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.redis.resilient import Command, Script

SECONDS = (60, 3600, 86400)

Limits = tuple[int, int, int]

LUA_CHECK = Path(__file__).with_name("windows.lua").read_text()
CHECK = Script(LUA_CHECK + Path(__file__).with_name("check.lua").read_text())


@dataclass(frozen=True)
class Verdict:
    """Whether a request may pass, and what remains.

    Attributes:
        passes: Whether it may.
        limits: Of each window.
        remaining: Of each window, after this request.
        retry_after: Seconds until it may, if it may not.
    """

    passes: bool
    limits: Limits
    remaining: Limits
    retry_after: float = 0.0


def check_command(keys: Sequence[str], limits: Limits, cost: int, refund: int = 0) -> Command:
    """Return the command that counts a request by itself; `verdict` decodes the reply."""
    return CHECK.command(list(keys), cost, refund, *numbers(limits))


def tighter(one: Verdict, other: Verdict) -> Verdict:
    """Combine two verdicts under the same limits: the request passes only if both let it."""
    minute, hour, day = map(min, one.remaining, other.remaining)
    wait = max(one.retry_after, other.retry_after)
    return Verdict(one.passes and other.passes, one.limits, (minute, hour, day), wait)


def numbers(limits: Limits) -> list[int]:
    """Return the length in seconds and the limit of each window, in turn."""
    return [number for pair in zip(SECONDS, limits, strict=True) for number in pair]


def verdict(reply: Any, limits: Limits) -> Verdict:
    """Decode Redis's reply to a check."""
    passes, minute, hour, day, milliseconds, _ = reply
    return Verdict(passes == 1, limits, (minute, hour, day), milliseconds / 1000)
