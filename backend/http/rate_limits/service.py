"""Charging requests to whoever sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from flask import current_app
from loguru import logger

from backend.errors import TooManyRequests
from backend.http.rate_limits.memory import MemoryWindows
from backend.http.rate_limits.windows import Limits, Verdict, check_command, verdict
from backend.redis.client import resilient_redis
from backend.redis.resilient import Command


@dataclass
class RateLimits:
    """The limits of each class of route; `classes` is empty where nothing is limited."""

    classes: dict[str, Limits]
    memory: MemoryWindows = field(default_factory=MemoryWindows)
    is_alone: bool = False

    def note_source(self, *, is_alone: bool) -> None:
        """Say once in the log when counting moves to this process, and back."""
        if self.is_alone != is_alone:
            self.is_alone = is_alone
            logger.warning("limits are counted {}", "by each process for itself" if is_alone else "in Redis again")


@dataclass(frozen=True)
class Charge:
    """A request to be counted by these rules: `subject` sends it, to a route of this class, for `person` as well."""

    subject: str
    limit_class: str
    rules: RateLimits
    cost: int = 1
    refund: int = 0
    person: str = ""

    @property
    def name(self) -> str:
        """Under which its subject is counted."""
        return f"limit:{self.limit_class}:{self.subject}"

    @property
    def names(self) -> list[str]:
        """All under which it is counted."""
        return [f"limit:{self.limit_class}:{one}" for one in (self.subject, self.person) if one]

    @cached_property
    def limits(self) -> Limits | None:
        """What holds for it; None where it is not limited."""
        return self.rules.classes.get(self.limit_class)

    def commands(self) -> list[Command]:
        """What to ask Redis; `settle` takes the answer. Nothing where it is not limited."""
        if self.limits is None:
            return []
        keys = [resilient_redis().key(name) for name in self.names]
        return [check_command(keys, self.limits, self.bounded_cost, self.refund)]

    def settle(self, answer: Any) -> Verdict | None:
        """Whether it may pass; None where it is not limited. `answer` is None while Redis is away."""
        if self.limits is None:
            return None
        self.rules.note_source(is_alone=answer is None)
        if answer is not None:
            return verdict(answer, self.limits)
        return self.rules.memory.check(self.names, self.limits, self.bounded_cost)

    @property
    def bounded_cost(self) -> int:
        """What is counted at most."""
        # What costs more than a whole window may pass when the window is empty, but for what was counted before.
        return min(self.cost, min(self.limits) - self.refund) if self.limits else self.cost


def rate_limits() -> RateLimits:
    """Those of the application that is running."""
    return cast(RateLimits, current_app.extensions["rate_limits"])


def enforce(outcome: Verdict | None) -> None:
    """Let a request pass, or not.

    Raises:
        TooManyRequests: with the seconds to wait.
    """
    if outcome is not None and not outcome.passes:
        raise TooManyRequests(retry_after=outcome.retry_after)
