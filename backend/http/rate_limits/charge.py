"""What a request counts against: a subject in a class of routes, its cost, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import g, has_request_context
from loguru import logger

from backend.http.rate_limits.item import WindowsItem, limit_name
from backend.http.rate_limits.windows import Limits, Verdict
from backend.http.rate_limits.windows import verdict as decode_verdict


@dataclass
class RateLimits:
    """The limits of each class of routes; `classes` is empty where nothing is limited."""

    classes: dict[str, Limits]
    is_alone: bool = False
    _items: dict[str, WindowsItem] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._items = {name: WindowsItem(limits) for name, limits in self.classes.items()}

    def item(self, limit_class: str) -> WindowsItem | None:
        """Return the windows of a class; None where it is not limited."""
        return self._items.get(limit_class)

    def note_source(self, *, is_alone: bool) -> None:
        """Log once when counting moves to this process, and back."""
        if self.is_alone != is_alone:
            self.is_alone = is_alone
            logger.warning("limits are counted {}", "by each process for itself" if is_alone else "in Redis again")


@dataclass(frozen=True)
class Charge:
    """A request to be counted under these rules: `subject` sends it, to a route of this class, for `person` as well."""

    subject: str
    limit_class: str
    rules: RateLimits
    cost: int = 1
    refund: int = 0
    person: str = ""

    @property
    def name(self) -> str:
        """The name under which its subject is counted."""
        return limit_name(self.subject, self.limit_class)

    @property
    def names(self) -> list[str]:
        """All names under which it is counted."""
        return [limit_name(subject, self.limit_class) for subject in (self.subject, self.person) if subject]

    @cached_property
    def item(self) -> WindowsItem | None:
        """The windows that it is counted in; None where it is not limited."""
        return self.rules.item(self.limit_class)

    @property
    def limits(self) -> Limits | None:
        """The limits of these windows; None where it is not limited."""
        return self.item.limits if self.item else None

    @property
    def bounded_cost(self) -> int:
        """The cost that is counted."""
        # What costs more than a whole window passes when the window is empty, but for what was counted before.
        return min(self.cost, min(self.limits) - self.refund) if self.limits else self.cost

    def decode(self, reply: Any) -> Verdict | None:
        """Return the verdict in Redis's reply; None where the request is not limited."""
        if self.item is None:
            return None
        if self.rules.is_alone:
            self.rules.note_source(is_alone=False)
        return decode_verdict(reply, self.item.limits)


@dataclass
class RequestLimits:
    """The charge of the current request, Redis's reply to it (None while Redis is away), and the verdict."""

    charge: Charge
    reply: Any = None
    verdict: Verdict | None = None

    def is_about(self, item: WindowsItem, identifiers: tuple[str, ...]) -> bool:
        """Return whether these windows of this subject are those that Redis has replied about."""
        return self.reply is not None and item == self.charge.item and item.key_for(*identifiers) == self.charge.name


def request_limits() -> RequestLimits | None:
    """Return the limits of the current request; None where it is not counted, or there is none."""
    limits: RequestLimits | None = g.get("rate_limits") if has_request_context() else None
    return limits
