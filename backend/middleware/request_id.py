"""One id for each request: taken from the client when it is harmless, made otherwise; in every answer, log and job."""

from __future__ import annotations

import re
from uuid import uuid4

from flask import Flask, Response, g, request

ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")


def register_request_id(app: Flask) -> None:
    """Set `g.request_id` before anything else runs and return it as X-Request-ID."""
    app.before_request(_assign)
    app.after_request(_return)


def _assign() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if ACCEPTABLE.fullmatch(given) else uuid4().hex


def _return(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id") or uuid4().hex
    return response
