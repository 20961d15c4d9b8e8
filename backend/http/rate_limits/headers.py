"""Headers of the rate limits: X-RateLimit-* and draft-ietf-httpapi-ratelimit-headers-10."""

from __future__ import annotations

from functools import lru_cache

from backend.http.rate_limits.windows import SECONDS, Limits, Verdict

REMAINING = tuple((f"X-RateLimit-Remaining-{seconds}s", f'"{seconds}s";r=') for seconds in SECONDS)


def limit_headers(outcome: Verdict) -> list[tuple[str, str]]:
    """Return the headers of a verdict: limit and remainder of each window."""
    remaining = [(name, item, str(number)) for (name, item), number in zip(REMAINING, outcome.remaining, strict=True)]
    return [
        *_policy(outcome.limits),
        *((name, number) for name, _, number in remaining),
        ("RateLimit", ", ".join([item + number for _, item, number in remaining])),
    ]


@lru_cache(maxsize=64)
def _policy(limits: Limits) -> tuple[tuple[str, str], ...]:
    """Return the headers that are the same for all requests under these limits."""
    windows = list(zip(SECONDS, limits, strict=True))
    return (
        *((f"X-RateLimit-Limit-{seconds}s", str(limit)) for seconds, limit in windows),
        ("RateLimit-Policy", ", ".join(f'"{seconds}s";q={quota};w={seconds}' for seconds, quota in windows)),
    )
