"""Error handlers: every failure becomes a problem+json response (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import orjson
import redis
from flask import Flask, Response, current_app, request
from loguru import logger
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from backend.errors import (
    BodyTooLarge,
    Conflict,
    DomainError,
    Forbidden,
    Gone,
    Invalid,
    MalformedBody,
    NotAcceptable,
    NotFound,
    PreconditionFailed,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from backend.http.request_state import request_state
from backend.observability.metrics.recording import record_pool_timeout
from backend.observability.redaction import loggable_path

Translation = Callable[[Response], Response]
RETRY_AFTER_SECONDS = 2

# PostgreSQL: a statement was cancelled, by a time-out or by an administrator.
QUERY_CANCELED = "57014"

STATUS_OF: dict[type[DomainError], HTTPStatus] = {
    MalformedBody: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Gone: HTTPStatus.GONE,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# Phrases of RFC 9110, where the standard library's depend on the version of Python.
PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}

# A constraint is violated where the service's own check has lost a race.
CONFLICTS = {
    "uq_users_email_key": "This mail address is already registered.",
    "uq_users_username_key": "This username is already taken.",
    "uq_tags_organization_id_name_key": "A tag of this name exists already.",
    "uq_bookmarks_organization_id_url_hash": "This link is already saved.",
}


def register_error_handlers(app: Flask) -> None:
    """Answer every failure as problem+json (RFC 9457)."""
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(IntegrityError, _integrity_error)
    app.register_error_handler(OperationalError, _operational_error)
    app.register_error_handler(InterfaceError, _database_down)
    app.register_error_handler(PoolTimeoutError, _pool_exhausted)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(redis.RedisError, _redis_down)
    app.register_error_handler(Exception, _unexpected)


def translate_problems(app: Flask, prefix: str, translate: Translation) -> None:
    """Have the problems about paths below a prefix written as the clients of another product expect them."""
    app.extensions.setdefault("problem_translations", {})[prefix] = translate


def phrase(status: int) -> str:
    """Return the standard phrase of a status (RFC 9110)."""
    return PHRASES.get(status) or HTTPStatus(status).phrase


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **extra: Any) -> Response:
    """Return a problem+json response (RFC 9457) about the current request, in translation for some paths."""
    body = {
        "type": "about:blank",
        "title": phrase(status),
        "status": int(status),
        "detail": detail,
        "instance": f"{request.script_root}{request.path}",
        "request_id": request_state().request_id,
        **extra,
    }
    response = Response(orjson.dumps(body), status, headers or {}, content_type="application/problem+json")
    for prefix, translate in current_app.extensions.get("problem_translations", {}).items():
        if request.path.startswith(prefix):
            return cast(Translation, translate)(response)
    return response


def _domain_error(error: DomainError) -> Response:
    status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return problem(status, error.detail, headers, **error.extra)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    # An impossible path reads like a missing object, so that it tells nothing about ids.
    detail = NotFound.detail if status == HTTPStatus.NOT_FOUND else error.description
    return problem(status, detail or phrase(status), headers)


def _integrity_error(error: IntegrityError) -> Response:
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
    if name in CONFLICTS:
        return problem(HTTPStatus.CONFLICT, CONFLICTS[name])
    if name.startswith("fk_"):
        return problem(HTTPStatus.CONFLICT, "Something that this refers to has just been deleted.")
    return _unexpected(error)


def _operational_error(error: OperationalError) -> Response:
    if getattr(error.orig, "pgcode", None) == QUERY_CANCELED:
        # Only this statement took too long; the database is available.
        logger.warning("query timed out at {} {}", request.method, loggable_path(request.path))
        return _unavailable("This query took too long. Ask for less: fewer words or filters.", code="query_timeout")
    return _database_down(error)


def _database_down(error: Exception) -> Response:
    logger.warning("database unavailable: {}", _first_line(error))
    return _unavailable("The database is not available right now.")


def _database_error(error: DBAPIError) -> Response:
    if error.connection_invalidated:
        return _database_down(error)
    return _unexpected(error)


def _pool_exhausted(error: PoolTimeoutError) -> Response:
    record_pool_timeout()
    return _database_down(error)


def _redis_down(error: redis.RedisError) -> Response:
    logger.warning("redis unavailable: {}", _first_line(error))
    return _unavailable("The queue is not available right now.")


def _unavailable(detail: str, **extra: str) -> Response:
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)}, **extra)


def _unexpected(error: Exception) -> Response:
    logger.opt(exception=error).error("unexpected error at {} {}", request.method, loggable_path(request.path))
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here. The request id finds it in the logs.")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
