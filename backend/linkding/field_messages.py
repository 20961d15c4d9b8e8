"""What Django REST framework says of each field at fault, made from our faults and what was sent."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import request

IS_NULL, IS_BLANK = "This field may not be null.", "This field may not be blank."
MESSAGES = {
    "missing": "This field is required.",
    "string_type": "Not a valid string.",
    "bool_type": "Must be a valid boolean.",
    "bool_parsing": "Must be a valid boolean.",
    "int_type": "A valid integer is required.",
    "int_parsing": "A valid integer is required.",
    "int_from_float": "A valid integer is required.",
}
TOO_SHORT = ("too_short", "string_too_short")
TOO_LONG = ("too_long", "string_too_long")
BOUND = re.compile(r"at most (?P<number>[0-9]+) (?P<unit>character|item)")
UNITS = {"character": "characters", "item": "elements"}
Fault = dict[str, str]


def messages_by_field(faults: list[Fault]) -> dict[str, Any]:
    """Collect the messages of each field; those of a list's items by their places in it."""
    messages: dict[str, Any] = {}
    for fault in faults:
        name, _, place = fault["field"].partition(".")[2].partition(".")
        message = _message(fault, _value_of(name, place))
        if place:
            messages.setdefault(name, {}).setdefault(place, []).append(message)
        else:
            messages.setdefault(name or "non_field_errors", []).append(message)
    return messages


def _value_of(name: str, place: str) -> Any:
    """Look up what was sent in a field of the body; `...` where nothing was."""
    try:
        body = json.loads(request.get_data())
    except ValueError:
        return ...
    if not name:
        return body
    value = body.get(name, ...) if isinstance(body, dict) else ...
    return value[int(place)] if isinstance(value, list) and place.isdigit() else value


def _message(fault: Fault, value: Any) -> str:
    code, message = fault["code"], fault["message"]
    if not fault["field"].startswith("body"):
        return message
    if value is None:
        return IS_NULL
    if isinstance(value, str):
        message = _of_text(fault, value)
    if code == "list_type":
        return f'Expected a list of items but got type "{type(value).__name__}".'
    if code in ("model_type", "model_attributes_type"):
        return f"Invalid data. Expected a dictionary, but got {type(value).__name__}."
    bound = BOUND.search(message) if code in TOO_LONG else None
    if bound:
        return f"Ensure this field has no more than {bound['number']} {UNITS[bound['unit']]}."
    return MESSAGES.get(code, message)


def _of_text(fault: Fault, value: str) -> str:
    code = fault["code"]
    if not value.strip() and code in ("value_error", *TOO_SHORT):
        return IS_BLANK
    if code == "literal_error":
        return f'"{value}" is not a valid choice.'
    return "Enter a valid URL." if fault["field"] == "body.url" and code == "value_error" else fault["message"]
