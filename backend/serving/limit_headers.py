"""What every answer says of the limits: X-RateLimit-* and draft-ietf-httpapi-ratelimit-headers-10."""

from __future__ import annotations

from backend.limits.windows import SECONDS, Verdict


def limit_headers(outcome: Verdict) -> list[tuple[str, str]]:
    """What holds and what is left, of each window."""
    windows = list(zip(SECONDS, outcome.limits, outcome.remaining, strict=True))
    return [
        *((f"X-RateLimit-Limit-{seconds}s", str(limit)) for seconds, limit, _ in windows),
        *((f"X-RateLimit-Remaining-{seconds}s", str(left)) for seconds, _, left in windows),
        ("RateLimit-Policy", ", ".join(f'"{seconds}s";q={quota};w={seconds}' for seconds, quota, _ in windows)),
        ("RateLimit", ", ".join(f'"{seconds}s";r={left}' for seconds, _, left in windows)),
    ]
