"""The product's application, but for streams of events: each sends one a second from the thread that was asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wsgi import app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_product = app.wsgi_app


def _events() -> Iterator[bytes]:
    while True:
        yield b"data: {}\n\n"
        time.sleep(1)


def _serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"].endswith("/events"):
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return _events()
    return _product(environ, start_response)


app.wsgi_app = _serve  # type: ignore[method-assign]
