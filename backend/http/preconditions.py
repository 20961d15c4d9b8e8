"""ETag, If-None-Match and If-Match (RFC 9110, section 13)."""

from __future__ import annotations

import re

from flask import Response, request
from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags

from backend.errors import PreconditionFailed

# Compression gives each encoding an ETag of its own: `"abc"`, and `"abc:br"` for the same packed with Brotli.
ENCODED = re.compile(r":(?:zstd|br|gzip)$")


def known_etags(headers: Headers) -> list[str]:
    """The ETags that the caller has an answer for, as the server makes them; `*` for any.

    If-None-Match compares weakly.
    """
    header = headers.get("If-None-Match")
    if not header:
        return []
    given = parse_etags(header)
    if given.star_tag:
        return ["*"]
    return [ENCODED.sub("", tag) for tag in given.as_set(include_weak=True)]


def same_etag(headers: Headers, etag: str) -> str:
    """The ETag as the caller has it who has this answer already, without quotes."""
    given = parse_etags(headers.get("If-None-Match")).as_set(include_weak=True)
    return next((tag for tag in given if ENCODED.sub("", tag) == etag), etag)


def not_modified(etag: str, *, is_weak: bool = False) -> Response:
    """The answer to who has it already, under the ETag that was sent along."""
    response = Response(status=304)
    response.set_etag(same_etag(request.headers, etag), weak=is_weak)
    return response


def is_conditional_write() -> bool:
    """Whether the caller wants the write only if the resource is, or is not, what they think."""
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def check_write(current: str | None) -> None:
    """Let a write pass if its conditions hold for the resource whose ETag is `current`; None if there is none.

    Raises:
        PreconditionFailed: it has changed, or If-None-Match asks for it not to be there.
    """
    if "If-Match" in request.headers:
        wanted = parse_etags(request.headers["If-Match"])
        strong = {ENCODED.sub("", tag) for tag in wanted.as_set()}
        if current is None or not (wanted.star_tag or current in strong):
            raise PreconditionFailed
    elif current is not None and ("*" in (known := known_etags(request.headers)) or current in known):
        raise PreconditionFailed("This is there already.")
