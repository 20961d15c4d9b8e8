"""The domain errors, and the only handlers that turn them into HTTP."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import orjson
import redis
from flask import Flask, Response, g, request
from loguru import logger
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

RETRY_AFTER_SECONDS = 2
# What PostgreSQL says of a statement that it was told to end, by a time-out or by its administrator.
QUERY_CANCELED = "57014"


@dataclass(frozen=True)
class FieldError:
    """One fault in the input: `field` is a path such as `body.url`, `code` a stable word for programs."""

    field: str
    message: str
    code: str = "invalid"


class DomainError(Exception):
    """A refusal that the caller can understand."""

    detail = "The request could not be carried out."

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.extra = extra


class MalformedBody(DomainError):
    detail = "The body is not well-formed JSON."


class Unauthenticated(DomainError):
    detail = "A valid access token is required."


class Forbidden(DomainError):
    detail = "This is not allowed with your role or token."


class NotFound(DomainError):
    detail = "There is nothing here, or it is not yours."


class Conflict(DomainError):
    detail = "This conflicts with what is already there."


class PreconditionFailed(DomainError):
    detail = "It has changed since you read it. Read it again."


class BodyTooLarge(DomainError):
    detail = "The body is too large."


class NotAcceptable(DomainError):
    detail = "Accept-Encoding rules out everything that this could be sent in."


class UnsupportedMediaType(DomainError):
    detail = "The body must be sent as application/json."


class TooManyRequests(DomainError):
    """Too soon; `retry_after` are the seconds to wait."""

    detail = "Too many requests. Try again later."

    def __init__(self, detail: str | None = None, *, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = max(1, math.ceil(retry_after))


class Unavailable(DomainError):
    detail = "A service that this needs is down. Try again shortly."


class Invalid(DomainError):
    """Well-formed input that breaks a rule; names every field at fault."""

    detail = "Some fields are not valid."

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors=[asdict(error) for error in errors])

    @classmethod
    def field(cls, field: str, message: str, code: str = "invalid") -> Invalid:
        """The refusal of a single field."""
        return cls([FieldError(field, message, code)])


# The token in the address of a feed stands for its owner.
FEED_TOKEN = re.compile(r"(?<=/feeds/)(?![0-9]+\Z)[^/]+")

STATUS_OF: dict[type[DomainError], HTTPStatus] = {
    MalformedBody: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# RFC 9110's words, where the standard library's depend on the version of Python.
PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}

# What a broken constraint means to the person whose write broke it: a race that the service's own check lost.
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
    app.register_error_handler(PoolTimeoutError, _database_down)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(redis.RedisError, _redis_down)
    app.register_error_handler(Exception, _unexpected)


def phrase(status: int) -> str:
    """The standard words for a status (RFC 9110)."""
    return PHRASES.get(status) or HTTPStatus(status).phrase


def loggable_path(path: str) -> str:
    """A path without the secrets that may stand in it."""
    return FEED_TOKEN.sub("…", path)


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **extra: Any) -> Response:
    """A problem+json response (RFC 9457) about the request at hand."""
    body = {
        "type": "about:blank",
        "title": phrase(status),
        "status": int(status),
        "detail": detail,
        "instance": f"{request.script_root}{request.path}",
        "request_id": getattr(g, "request_id", ""),
        **extra,
    }
    return Response(orjson.dumps(body), status, headers or {}, content_type="application/problem+json")


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
    # A path that is none reads as an object that never was: which ids are possible is nobody's business.
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
        # The database is well: only this took too long, and would again.
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
