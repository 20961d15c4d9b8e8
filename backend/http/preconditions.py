"""ETag, If-None-Match and If-Match (RFC 9110, section 13)."""

from __future__ import annotations

import re

from flask import Response, request
from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags

from backend.errors import PreconditionFailed

# Each content coding has an ETag of its own: `"abc"`, and `"abc:br"` for the same in Brotli.
ENCODED = re.compile(r":(?:zstd|br|gzip)$")


def known_etags(headers: Headers) -> list[str]:
    """Return the ETags in If-None-Match, as the server makes them; `*` for any.

    The comparison is weak.
    """
    header = headers.get("If-None-Match")
    if not header:
        return []
    given = parse_etags(header)
    if given.star_tag:
        return ["*"]
    return [ENCODED.sub("", tag) for tag in given.as_set(include_weak=True)]


def same_etag(headers: Headers, etag: str) -> str:
    """Return the ETag of a response in the form that the client has sent it, without quotes."""
    given = parse_etags(headers.get("If-None-Match")).as_set(include_weak=True)
    return next((tag for tag in given if ENCODED.sub("", tag) == etag), etag)


def not_modified(etag: str, *, is_weak: bool = False) -> Response:
    """Return 304 under the ETag that the client has sent."""
    response = Response(status=304)
    response.set_etag(same_etag(request.headers, etag), weak=is_weak)
    return response


def is_conditional_write() -> bool:
    """Return whether a write has If-Match or If-None-Match."""
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def check_write(current: str | None) -> None:
    """Compare a write's preconditions with the current ETag; None if there is no such resource.

    Raises:
        PreconditionFailed: it has changed, or If-None-Match asks for it not to be there.
    """
    if "If-Match" in request.headers:
        expected = parse_etags(request.headers["If-Match"])
        strong = {ENCODED.sub("", tag) for tag in expected.as_set()}
        if current is None or not (expected.star_tag or current in strong):
            raise PreconditionFailed
    elif current is not None and ("*" in (known := known_etags(request.headers)) or current in known):
        raise PreconditionFailed("This is there already.")
