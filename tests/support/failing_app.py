"""The application with routes that fail, log and leak as much as they can, for a real server: `failing_app:app`."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import NoReturn

from flask import request
from loguru import logger

from backend import create_app

app = create_app()


@app.post("/fail")
def fail() -> NoReturn:
    """Log and raise everything that the request holds."""
    headers, body = dict(request.headers), request.get_json()
    credential = request.headers["Authorization"].partition(" ")[2]
    logger.bind(headers=headers, cookies=dict(request.cookies), body=body).warning("refused {}", request.url)
    logging.getLogger("a.library").error("asked with %s, %s", headers, body, extra={"token": credential})
    try:
        raise ConnectionError(f"https://fuze:{body['password']}@example.org/?api_key={body['api_key']} does not answer")
    except ConnectionError as error:
        raise RuntimeError(f"failed with {headers} and {body}") from error


@app.post("/warn")
def warn() -> str:
    """Do what else writes to standard error by itself."""
    warnings.warn("this warns\nof something", UserWarning, stacklevel=1)
    logging.getLogger("a.library").error("does not fit %d", "text")
    thread = threading.Thread(target=lambda: 1 / 0, name="dying")
    thread.start()
    thread.join()
    return ""
