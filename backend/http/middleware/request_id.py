"""One id for each request: taken from the client when it is harmless, made otherwise; in every answer, log and job."""

from __future__ import annotations

import os
import re
from functools import cache
from itertools import count
from uuid import uuid4

from flask import Flask, Response, g, request

ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")


def register_request_id(app: Flask) -> None:
    """Set `g.request_id` before anything else runs and return it as X-Request-ID."""
    app.before_request(_assign)
    app.after_request(_return)


def new_request_id() -> str:
    """One that no other request has, in any process; no secret."""
    return f"{_prefix()}{next(_numbers):08x}"


@cache
def _prefix() -> str:
    return uuid4().hex[:24]


_numbers = count()
os.register_at_fork(after_in_child=_prefix.cache_clear)


def request_id_of(given: str | None) -> str:
    """The id that a client has sent, if it is harmless; a new one otherwise."""
    return given if given and ACCEPTABLE.fullmatch(given) else new_request_id()


def _assign() -> None:
    g.request_id = request_id_of(request.headers.get("X-Request-ID"))


def _return(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id") or new_request_id()
    return response
