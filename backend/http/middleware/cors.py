"""Cross-origin requests: which origins may call, and the headers that tell their browsers so (R-HTTP 1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, cast

from flask import Flask
from flask_cors.core import get_cors_headers, get_cors_options
from werkzeug.datastructures import Headers

from backend.extensions import cors
from config import Settings

REMEMBERED_ORIGINS = 256
EXPOSED_HEADERS = [
    *("X-Request-ID", "Location", "Retry-After", "ETag", "Idempotent-Replayed", "RateLimit", "RateLimit-Policy"),
    *(f"X-RateLimit-{what}-{seconds}s" for what in ("Limit", "Remaining") for seconds in (60, 3600, 86400)),
]

OriginHeaders = Callable[[str], Sequence[tuple[str, str]]]


def register_cors(app: Flask, settings: Settings) -> None:
    """Tell the browsers of the allowed origins that they may read responses."""
    if not settings.ALLOWED_ORIGINS:
        app.extensions["origin_headers"] = _no_headers
        return
    options: dict[str, Any] = {
        # As patterns, because Flask-CORS takes a name with brackets for one; only the whole origin matches.
        "origins": [re.compile(rf"{re.escape(origin)}\Z", re.IGNORECASE) for origin in settings.ALLOWED_ORIGINS],
        "always_send": False,
        "vary_header": False,
        "methods": ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"],
        "supports_credentials": True,
        "expose_headers": EXPOSED_HEADERS,
        "max_age": 600,
    }
    cors.init_app(app, **options)
    resolved = get_cors_options(app, options)

    @lru_cache(maxsize=REMEMBERED_ORIGINS)
    def headers_of(origin: str) -> Sequence[tuple[str, str]]:
        headers = get_cors_headers(resolved, Headers({"Origin": origin}), "GET")
        return tuple((name, str(value)) for name, value in headers.items())

    app.extensions["origin_headers"] = headers_of


def origin_headers(app: Flask) -> OriginHeaders:
    """Return the function from the origin of a GET request to the headers that Flask-CORS answers it with."""
    return cast(OriginHeaders, app.extensions["origin_headers"])


def _no_headers(_: str) -> Sequence[tuple[str, str]]:
    return ()
