"""Input checks before any route runs: sizes and content codings (R-HTTP 3 and 5)."""

from __future__ import annotations

import io
import threading
import zlib
from typing import IO, Any, cast

import flask
from flask import Flask, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

from backend.errors import BodyTooLarge, MalformedBody, NotAcceptable, Unavailable, UnsupportedMediaType
from backend.extensions import current_settings
from backend.http.multipart import is_multipart, open_spooled
from backend.http.operations import declared_operation
from backend.http.request_state import request_state
from backend.http.validation import BODY_LIMIT_BYTES

# Large bodies in the memory of one process at the same time; others wait for so long.
LARGE_BODIES, LARGE_BODY_SECONDS = 2, 2.0
# A request with a body has one of these.
OF_BODIES = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")
# Of method, address and version: gunicorn refuses what is longer.
REQUEST_LINE_BYTES = 16 * 1024


class Request(flask.Request):
    """A request whose gzip body reads as the text inside it, capped after inflation."""

    max_content_length = BODY_LIMIT_BYTES
    # Whether its body takes one of the places for large bodies.
    has_room = False

    @property
    def _is_small(self) -> bool:
        """Whether the body is known to take no more memory than those of other routes."""
        if self.headers.get("Content-Encoding", "identity").lower() != "identity":
            return False
        is_short = self.content_length is not None and self.content_length <= BODY_LIMIT_BYTES
        return is_short or is_multipart(self)  # A file goes to disk as it comes in.

    def make_form_data_parser(self) -> FormDataParser:
        """Read forms as Werkzeug does, but raise ValueError where one is malformed: it would look empty otherwise."""
        parser = super().make_form_data_parser()
        parser.silent = False
        return parser

    def close(self) -> None:
        """Close the files of a form, also of one that could not be read to its end, and leave the room it took."""
        if self.has_room:
            self.has_room = False
            _room.release()
        super().close()
        for file in self.__dict__.get("spooled_files", ()):
            file.close()

    def _get_file_stream(self, *arguments: Any, **named: Any) -> IO[bytes]:
        file = open_spooled(current_settings().FUZE_DATA_DIR)
        self.__dict__.setdefault("spooled_files", []).append(file)
        return file

    @cached_property
    def stream(self) -> IO[bytes]:
        cap = self.max_content_length or BODY_LIMIT_BYTES
        if cap > BODY_LIMIT_BYTES and not self._is_small:
            _claim_room()
            self.has_room = True
        ends = "wsgi.input_terminated" in self.environ
        raw = cast("IO[bytes]", _Capped(self.environ["wsgi.input"], cap)) if ends else super().stream
        if self.headers.get("Content-Encoding", "identity").lower() != "gzip":
            return raw
        return io.BytesIO(_inflate(raw.read(), cap))


class _Capped(LimitedStream):
    """A stream that refuses malformed chunks, and more than `cap` bytes.

    Werkzeug's own stream would end there silently.
    """

    def __init__(self, stream: IO[bytes], cap: int) -> None:
        super().__init__(stream, cap + 1, is_max=True)
        self._cap = cap

    def readinto(self, buffer: bytearray) -> int | None:  # type: ignore[override]
        try:
            size = super().readinto(buffer)
        except (ParseException, ClientDisconnected):
            # The server's message would quote what was sent.
            raise MalformedBody("The body is not well-formed: its chunks cannot be read.") from None
        if self.is_exhausted:
            raise _too_large(self._cap)
        return size


def register_input_validation(app: Flask) -> None:
    """Refuse bodies that are too large or encoded in an unknown way, and clients that accept no coding of ours."""
    app.request_class = Request
    app.before_request(_check)


def _check() -> None:
    if any(map(request.environ.get, OF_BODIES)):
        _check_body()
    if request_state().negotiation.coding is None:
        raise NotAcceptable


def _check_body() -> None:
    declared = declared_operation(current_app, request.endpoint) if request.endpoint else None
    cap = declared.body_limit if declared else BODY_LIMIT_BYTES
    request.max_content_length = cap
    if (request.content_length or 0) > cap:
        raise _too_large(cap)
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise UnsupportedMediaType("Bodies may be sent plain or with Content-Encoding: gzip.")


def _too_large(cap: int, when: str = "") -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {cap} bytes ({cap >> 20} MiB){when}.")


def _claim_room() -> None:
    """Wait until a large body may be read: after authentication, so that no anonymous request takes the room."""
    if not _room.acquire(timeout=LARGE_BODY_SECONDS):
        raise Unavailable("Too many large bodies come in at the same time. Try again shortly.")


_room = threading.BoundedSemaphore(LARGE_BODIES)


def _inflate(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        text = inflater.decompress(data, limit + 1)
    except zlib.error:
        raise MalformedBody("The body is not valid gzip.") from None
    if len(text) > limit or inflater.unconsumed_tail:
        raise _too_large(limit, " when inflated")
    if not inflater.eof or inflater.unused_data:
        raise MalformedBody("The body is not one whole gzip stream.")
    return text
