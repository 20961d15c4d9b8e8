"""Sizes and encodings of what comes in, checked before any route runs (R-HTTP 3 and 5)."""

from __future__ import annotations

import io
import zlib
from typing import IO

import flask
from flask import Flask, request
from werkzeug.utils import cached_property

from backend.errors import BodyTooLarge, FieldError, Invalid, UnsupportedMediaType

BODY_LIMIT_BYTES = 1024 * 1024
MAX_QUERY_LENGTH = 8192


class Request(flask.Request):
    """A request whose gzip body reads as the text inside it, capped after inflation."""

    max_content_length = BODY_LIMIT_BYTES

    @cached_property
    def stream(self) -> IO[bytes]:
        raw = super().stream
        if self.headers.get("Content-Encoding", "identity").lower() != "gzip":
            return raw
        return io.BytesIO(_inflate(raw.read(), self.max_content_length or BODY_LIMIT_BYTES))


def register_input_validation(app: Flask) -> None:
    """Refuse what is too large, encoded in a way nobody asked for, or holds NUL in its query."""
    app.request_class = Request
    app.before_request(_check)


def _check() -> None:
    if (request.content_length or 0) > (request.max_content_length or BODY_LIMIT_BYTES):
        raise BodyTooLarge(f"The body is larger than {request.max_content_length} bytes.")
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise UnsupportedMediaType("Bodies may be sent plain or with Content-Encoding: gzip.")
    if len(request.query_string) > MAX_QUERY_LENGTH:
        raise Invalid.field("query", f"The query string is longer than {MAX_QUERY_LENGTH} bytes.", "too_long")
    faults = [name for name, value in request.args.items(multi=True) if "\x00" in value or "\x00" in name]
    if faults:
        raise Invalid([FieldError(f"query.{name!s}", "Must not hold the NUL character.", "nul") for name in faults])


def _inflate(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        text = inflater.decompress(data, limit + 1)
    except zlib.error:
        raise UnsupportedMediaType("The body is not valid gzip.") from None
    if len(text) > limit or inflater.unconsumed_tail:
        raise BodyTooLarge(f"The body is larger than {limit} bytes when inflated.")
    return text
