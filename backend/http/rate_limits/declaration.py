"""Declare the classes of routes to Flask-Limiter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, lru_cache, wraps
from typing import TYPE_CHECKING, Any

from flask_limiter import RateLimitExceeded, RouteLimit

from backend.extensions import limited_subject, limiter
from backend.http.rate_limits.charge import request_limits
from backend.http.rate_limits.item import WindowsItem
from backend.http.rate_limits.service import rate_limits, refuse_if_full

if TYPE_CHECKING:
    from flask_limiter._limits import RuntimeLimit

EXEMPT = "exempt"
Check = Callable[[], None]


class ClassLimit(RouteLimit):
    """The limits of a class, shared by its routes: those of the running application, as one item."""

    def __iter__(self) -> Iterator[RuntimeLimit]:
        item = rate_limits().item(str(self.scope))
        return iter((_limit_in_windows(self, item),) if item else ())


def declare_limit(view: Callable[..., Any], limit_class: str) -> Check:
    """Declare the class of a view; return the check of the current request, to be called once Redis has replied.

    The check raises `TooManyRequests`.
    """
    if limit_class == EXEMPT:
        limiter.exempt(view)
        return unlimited

    # Flask-Limiter finds limits by the name of the view.
    @class_limit(limit_class)
    @wraps(view)
    def checked() -> None:
        """Pass: the limit around this has let the request through."""

    def check() -> None:
        try:
            checked()
        except RateLimitExceeded:
            limits = request_limits()
            refuse_if_full(limits.verdict if limits else None)

    return check


@cache
def class_limit(limit_class: str) -> ClassLimit:
    """Return the limit of a class, by which Flask-Limiter knows it."""

    def limits_text() -> str:
        """Return the limits as Flask-Limiter writes them; empty where nothing is limited."""
        item = rate_limits().item(limit_class)
        return repr(item).replace(",", ";") if item else ""

    return ClassLimit(
        limit_provider=limits_text,
        limiter=limiter,
        key_function=limited_subject,
        shared=True,
        scope=limit_class,
        override_defaults=True,
    )


@lru_cache(maxsize=256)
def _limit_in_windows(limit: ClassLimit, item: WindowsItem) -> RuntimeLimit:
    minute, *_ = RouteLimit.__iter__(limit)
    return replace(minute, limit=item)


def unlimited() -> None:
    """Let a request of an exempt route pass."""
