"""The three windows as one item of the `limits` library, so that one verdict covers them."""

from __future__ import annotations

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.limits import Granularity, safe_string

from backend.http.rate_limits.windows import SECONDS, Limits


class WindowsItem(RateLimitItem):
    """Limits of a minute, an hour and a day that hold together; `amount` is the minute's."""

    # A name of its own: the library registers items by it, and "day" is taken.
    GRANULARITY = Granularity(SECONDS[-1], "minute, hour and day")
    __slots__ = ["limits", "windows"]

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits[0])
        self.limits = limits
        self.windows: tuple[RateLimitItem, ...] = (
            RateLimitItemPerMinute(limits[0]),
            RateLimitItemPerHour(limits[1]),
            RateLimitItemPerDay(limits[2]),
        )

    def key_for(self, *identifiers: bytes | str | int | float) -> str:
        """Return the name under which a subject is counted in a class; it does not change with the limits."""
        subject, limit_class = map(safe_string, identifiers)
        return limit_name(subject, limit_class)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WindowsItem) and self.limits == other.limits

    def __hash__(self) -> int:
        return hash(self.limits)

    def __repr__(self) -> str:
        return ", ".join(map(repr, self.windows))


def limit_name(subject: str, limit_class: str) -> str:
    """Return the name under which a subject is counted in a class; `admit.lua` knows its form."""
    return f"limit:{limit_class}:{subject}"
