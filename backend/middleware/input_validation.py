"""Sizes and encodings of what comes in, checked before any route runs (R-HTTP 3 and 5)."""

from __future__ import annotations

import io
import zlib
from typing import IO, cast

import flask
from flask import Flask, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

from backend.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType
from backend.middleware.compression import refuse_unacceptable

BODY_LIMIT_BYTES = 1024 * 1024
# Of method, address and version: gunicorn refuses what is longer.
REQUEST_LINE_BYTES = 16 * 1024


class Request(flask.Request):
    """A request whose gzip body reads as the text inside it, capped after inflation."""

    max_content_length = BODY_LIMIT_BYTES

    @cached_property
    def stream(self) -> IO[bytes]:
        cap = self.max_content_length or BODY_LIMIT_BYTES
        ends = "wsgi.input_terminated" in self.environ
        raw = cast("IO[bytes]", _Capped(self.environ["wsgi.input"], cap)) if ends else super().stream
        if self.headers.get("Content-Encoding", "identity").lower() != "gzip":
            return raw
        return io.BytesIO(_inflate(raw.read(), cap))


class _Capped(LimitedStream):
    """Refuses a body in chunks that are malformed, or once it is longer than `cap` bytes.

    Werkzeug's own stream would end there in silence.
    """

    def __init__(self, stream: IO[bytes], cap: int) -> None:
        super().__init__(stream, cap + 1, is_max=True)

    def readinto(self, buffer: bytearray) -> int | None:  # type: ignore[override]
        try:
            size = super().readinto(buffer)
        except (ParseException, ClientDisconnected):
            # Said without the server's words: they quote what was sent.
            raise MalformedBody("The body is not well-formed: its chunks cannot be read.") from None
        if self.is_exhausted:
            raise BodyTooLarge
        return size


def register_input_validation(app: Flask) -> None:
    """Refuse what is too large, or encoded in a way nobody asked for."""
    app.request_class = Request
    app.before_request(_check)


def _check() -> None:
    if (request.content_length or 0) > (request.max_content_length or BODY_LIMIT_BYTES):
        raise BodyTooLarge(f"The body is larger than {request.max_content_length} bytes.")
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise UnsupportedMediaType("Bodies may be sent plain or with Content-Encoding: gzip.")
    refuse_unacceptable()


def _inflate(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        text = inflater.decompress(data, limit + 1)
    except zlib.error:
        raise MalformedBody("The body is not valid gzip.") from None
    if len(text) > limit or inflater.unconsumed_tail:
        raise BodyTooLarge(f"The body is larger than {limit} bytes when inflated.")
    if not inflater.eof or inflater.unused_data:
        raise MalformedBody("The body is not one whole gzip stream.")
    return text
