"""What the server itself refuses: requests that never reach the application, as problems (R-HTTP)."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from gunicorn.http import errors
from gunicorn.http.errors import ParseException

from backend.errors import BodyTooLarge
from backend.http.connections.polling_worker import NoSpace, RequestTimeout, TooManyConnections
from backend.http.middleware.security_headers import OF_API
from backend.http.problems import phrase

RETRY_SECONDS = 10
NOT_HTTP = "This is not a well-formed HTTP request."
# Refusals of gunicorn's parser, the most specific first.
REFUSALS: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG, "The first line of the request is too long."),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too long, or too many."),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED, "Bodies may come in chunks, and no other way."),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED, "Expect may ask for 100-continue, and nothing else."),
    (errors.ForbiddenProxyRequest, HTTPStatus.FORBIDDEN, "The proxy protocol is not spoken here."),
    (errors.ConfigurationProblem, HTTPStatus.INTERNAL_SERVER_ERROR, "Something is wrong with this server."),
    (errors.InvalidResponseHeader, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here."),
    (errors.InvalidResponseHeaderName, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here."),
    (ParseException, HTTPStatus.BAD_REQUEST, NOT_HTTP),
    (RequestTimeout, HTTPStatus.REQUEST_TIMEOUT, "The request came in too slowly."),
    (TooManyConnections, HTTPStatus.TOO_MANY_REQUESTS, "Too many connections are open from this address."),
    (NoSpace, HTTPStatus.SERVICE_UNAVAILABLE, "There is no room for this body right now. Try again shortly."),
    (BodyTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large."),
    (Exception, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here. The request id finds it in the logs."),
)


def find_refusal(fault: Exception) -> tuple[HTTPStatus, str]:
    """Return the status and the detail of a fault."""
    return next((status, detail) for kind, status, detail in REFUSALS if isinstance(fault, kind))


def refusal_response(status: HTTPStatus, detail: str, path: str, request_id: str) -> bytes:
    """Write a response, byte for byte; the connection is closed after it."""
    body = orjson.dumps(
        {
            "type": "about:blank",
            "title": phrase(status),
            "status": int(status),
            "detail": detail,
            "instance": path.encode("latin-1", "replace").decode("utf-8", "replace"),
            "request_id": request_id,
        }
    )
    headers = [
        *OF_API,
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        ("X-Request-ID", request_id),
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
    ]
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers.append(("Retry-After", str(RETRY_SECONDS)))
    lines = [f"HTTP/1.1 {int(status)} {phrase(status)}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
