"""Refusals under /linkding as Django REST framework writes them, made from the problems that all others are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask, Response, request

from backend.errors import MalformedBody, NotFound, UnsupportedMediaType
from backend.http.problems import translate_problems
from backend.linkding.field_messages import messages_by_field

PREFIX = "/linkding/"
OBJECT = re.compile(r"/linkding/api/(bookmark|tag|bundle)s/[0-9]+(?:/.*)?")
NAMES = {"bookmark": "Bookmark", "tag": "Tag", "bundle": "BookmarkBundle"}
NOT_PROVIDED = "Authentication credentials were not provided."
FORBIDDEN = "You do not have permission to perform this action."
NO_CREDENTIALS = "Invalid token header. No credentials provided."
SPACES = "Invalid token header. Token string should not contain spaces."
ANY_FAILURE = "A server error occurred."
TAKEN = {"url": ["A bookmark with this URL already exists."]}
Problem = dict[str, Any]


def register_linkding_refusals(app: Flask) -> None:
    """Have every refusal below the prefix say what linkding would say."""
    translate_problems(app, PREFIX, _translate)


def _translate(response: Response) -> Response:
    status, body = _refusal(response, orjson.loads(response.get_data()))
    response.status_code = status
    response.data = orjson.dumps(body)
    response.content_type = "application/json"
    if status == 401:
        response.headers["WWW-Authenticate"] = "Token"
    return response


def _refusal(response: Response, problem: Problem) -> tuple[int, dict[str, Any]]:
    """Choose the status and the body that linkding would answer."""
    status = response.status_code
    if status == 422:
        return 400, messages_by_field(problem["errors"])
    if status == 409 and "existing_id" in problem:
        return 400, TAKEN
    detail = DETAILS[status](response, problem["detail"]) if status in DETAILS else problem["detail"]
    return status, {"detail": detail}


def _malformed(_: Response, detail: str) -> str:
    if detail != MalformedBody.detail:
        return detail
    try:
        json.loads(request.get_data())
    except ValueError as error:
        return f"JSON parse error - {error}"
    return f"JSON parse error - {detail}"


def _unauthenticated(_: Response, _detail: str) -> str:
    scheme, *credentials = request.headers.get("Authorization", "").split() or [""]
    if scheme.lower() not in ("token", "bearer"):
        return NOT_PROVIDED
    if not credentials:
        return NO_CREDENTIALS
    return "Invalid token." if len(credentials) == 1 else SPACES


def _not_found(_: Response, detail: str) -> str:
    if detail != NotFound.detail:
        return detail
    found = OBJECT.fullmatch(request.path)
    return f"No {NAMES[found[1]]} matches the given query." if found else "Not found."


def _not_allowed(_: Response, _detail: str) -> str:
    return f'Method "{request.method}" not allowed.'


def _media_type(_: Response, detail: str) -> str:
    # The other reason is an encoding of the body.
    return (
        f'Unsupported media type "{request.content_type or ""}" in request.'
        if detail == UnsupportedMediaType.detail
        else detail
    )


def _throttled(response: Response, _detail: str) -> str:
    seconds = int(response.headers["Retry-After"])
    return f"Request was throttled. Expected available in {seconds} second{'' if seconds == 1 else 's'}."


DETAILS: dict[int, Callable[[Response, str], str]] = {
    400: _malformed,
    401: _unauthenticated,
    403: lambda _response, _detail: FORBIDDEN,
    404: _not_found,
    405: _not_allowed,
    415: _media_type,
    429: _throttled,
    500: lambda _response, _detail: ANY_FAILURE,
}
