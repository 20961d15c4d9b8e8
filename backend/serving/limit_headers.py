"""What every answer says of the limits: X-RateLimit-* and draft-ietf-httpapi-ratelimit-headers-10."""

from __future__ import annotations

from flask import Response

from backend.limits.windows import SECONDS, Verdict


def write_headers(response: Response, outcome: Verdict) -> None:
    """Say what holds and what is left, of each window."""
    windows = list(zip(SECONDS, outcome.limits, outcome.remaining, strict=True))
    # Nothing else sets these: they need not be looked for first, as by `headers[name] = value`.
    response.headers.extend([(f"X-RateLimit-Limit-{seconds}s", str(limit)) for seconds, limit, _ in windows])
    response.headers.extend([(f"X-RateLimit-Remaining-{seconds}s", str(left)) for seconds, _, left in windows])
    response.headers.add("RateLimit-Policy", ", ".join(f'"{seconds}s";q={q};w={seconds}' for seconds, q, _ in windows))
    response.headers.add("RateLimit", ", ".join(f'"{seconds}s";r={left}' for seconds, _, left in windows))
