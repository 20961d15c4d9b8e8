"""What every answer says of the limits: X-RateLimit-* and draft-ietf-httpapi-ratelimit-headers-10."""

from __future__ import annotations

from flask import Response

from backend.limits.windows import SECONDS, Verdict


def write_headers(response: Response, outcome: Verdict) -> None:
    """Say what holds and what is left, of each window."""
    windows = list(zip(SECONDS, outcome.limits, outcome.remaining, strict=True))
    for seconds, limit, remaining in windows:
        response.headers[f"X-RateLimit-Limit-{seconds}s"] = str(limit)
        response.headers[f"X-RateLimit-Remaining-{seconds}s"] = str(remaining)
    response.headers["RateLimit-Policy"] = ", ".join(
        f'"{seconds}s";q={limit};w={seconds}' for seconds, limit, _ in windows
    )
    response.headers["RateLimit"] = ", ".join(f'"{seconds}s";r={remaining}' for seconds, _, remaining in windows)
