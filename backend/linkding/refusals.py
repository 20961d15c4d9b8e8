"""Refusals under /linkding as Django REST framework writes them, made from the problems that all others are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from backend.errors import MalformedBody, NotFound

PREFIX = "/linkding/"
OBJECT = re.compile(r"/linkding/api/(bookmark|tag|bundle)s/[0-9]+(?:/.*)?")
NAMES = {"bookmark": "Bookmark", "tag": "Tag", "bundle": "BookmarkBundle"}
NOT_PROVIDED = "Authentication credentials were not provided."
FORBIDDEN = "You do not have permission to perform this action."
NUMBER = re.compile(r"at (?:most|least) ([0-9]+) character")
MESSAGES = {
    "missing": "This field is required.",
    "string_type": "Not a valid string.",
    "bool_type": "Must be a valid boolean.",
    "bool_parsing": "Must be a valid boolean.",
    "int_type": "A valid integer is required.",
    "int_parsing": "A valid integer is required.",
    "int_from_float": "A valid integer is required.",
}
IS_NULL, IS_BLANK = "This field may not be null.", "This field may not be blank."
TEMPLATES = {"string_too_long": "no more than", "string_too_short": "at least"}
Fault = dict[str, str]


def register_linkding_refusals(app: Flask) -> None:
    """Have every refusal below the prefix say what linkding would say."""
    app.after_request(_translate)


def _translate(response: Response) -> Response:
    if response.mimetype == "application/problem+json" and request.path.startswith(PREFIX):
        status = response.status_code
        problem = json.loads(response.get_data())
        if status == 422:
            response.status_code = 400
            body = _by_field(problem.get("errors", []))
        elif status == 409 and "existing_id" in problem:
            response.status_code = 400
            body = {"url": ["A bookmark with this URL already exists."]}
        else:
            body = {"detail": DETAILS.get(status, _as_told)(response, problem["detail"])}
        if status == 401:
            response.headers["WWW-Authenticate"] = "Token"
        response.data = json.dumps(body, ensure_ascii=False).encode()
        response.content_type = "application/json"
    return response


def _as_told(_: Response, detail: str) -> str:
    return detail


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
        return "Invalid token header. No credentials provided."
    return (
        "Invalid token." if len(credentials) == 1 else "Invalid token header. Token string should not contain spaces."
    )


def _not_found(_: Response, detail: str) -> str:
    found = OBJECT.fullmatch(request.path)
    if detail != NotFound.detail or found is None:
        return "Not found." if detail == NotFound.detail else detail
    return f"No {NAMES[found[1]]} matches the given query."


def _not_allowed(_: Response, _detail: str) -> str:
    return f'Method "{request.method}" not allowed.'


def _media_type(_: Response, detail: str) -> str:
    return f'Unsupported media type "{request.content_type or ""}" in request.'


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
    500: lambda _response, _detail: "A server error occurred.",
}


def _by_field(faults: list[Fault]) -> dict[str, Any]:
    """Messages by field; those of a list's items by their places in it."""
    found: dict[str, Any] = {}
    for fault in faults:
        _, _, path = fault["field"].partition(".")
        name, _, place = path.partition(".")
        message = _message(fault, _given(name, place))
        if place:
            found.setdefault(name, {}).setdefault(place, []).append(message)
        else:
            found.setdefault(name or "non_field_errors", []).append(message)
    return found


def _given(name: str, place: str) -> Any:
    """What was sent in a field of the body; `...` where nothing was."""
    try:
        body = json.loads(request.get_data())
    except ValueError:
        return ...
    if not name:
        return body
    value = body.get(name, ...) if isinstance(body, dict) else ...
    return value[int(place)] if place.isdigit() and isinstance(value, list) and int(place) < len(value) else value


def _message(fault: Fault, given: Any) -> str:
    code, message = fault["code"], fault["message"]
    if fault["field"].partition(".")[0] != "body":
        return message
    if given is None:
        return IS_NULL
    if isinstance(given, str) and not given.strip() and code in ("value_error", "string_too_short"):
        return IS_BLANK
    if fault["field"] == "body.url" and code == "value_error":
        return "Enter a valid URL."
    if code == "list_type":
        return f'Expected a list of items but got type "{type(given).__name__}".'
    if code in ("model_type", "model_attributes_type"):
        return f"Invalid data. Expected a dictionary, but got {type(given).__name__}."
    if code == "literal_error":
        return f'"{given}" is not a valid choice.'
    number = NUMBER.search(message)
    if code in TEMPLATES and number:
        return f"Ensure this field has {TEMPLATES[code]} {number[1]} characters."
    return MESSAGES.get(code, message)
