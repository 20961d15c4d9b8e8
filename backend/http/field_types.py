"""Field types of requests: what text, numbers, ids and times a client may send."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic import AwareDatetime as PydanticAwareDatetime
from werkzeug.datastructures import FileStorage

from backend.http.multipart import BINARY_SCHEMA, file_of

MAX_ID = 2**63 - 1


def _strict_integer(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise ValueError("Input should be a whole number")
    return value


def _strict_boolean(value: object) -> object:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("Input should be true or false")
        return value == "true"
    return value


def _no_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("Input must not hold the NUL character")
    return value


def _storable(value: datetime) -> datetime:
    # At the ends of the calendar another time zone's year has no number.
    if not 1000 <= value.year <= 9000:
        raise ValueError("Input should lie between the years 1000 and 9000")
    # Times are stored and returned in UTC.
    return value.astimezone(UTC)


def _text_datetime(value: object) -> object:
    # Pydantic also takes numbers as Unix times; the contract has RFC 3339 text only.
    if not isinstance(value, datetime) and not re.match(r"\d{4}-\d{2}-\d{2}", str(value)):
        raise ValueError("Input should be an RFC 3339 date-time such as 2026-01-31T12:00:00Z, or a date")
    return value


def _midnight(value: object) -> object:
    return f"{value}T00:00:00Z" if isinstance(value, str) and DATE.fullmatch(value) else value


def _day_or_instant(value: object, read_instant: ValidatorFunctionWrapHandler) -> object:
    if not (isinstance(value, str) and DATE.fullmatch(value)):
        return read_instant(value)
    day = date.fromisoformat(value)
    _storable(datetime.combine(day, time.max, UTC))
    return day


@cache
def _time_zones() -> frozenset[str]:
    # Files beside the zones: the zone of the server, and one for machines that have none yet.
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _known_time_zone(value: str) -> str:
    if value not in _time_zones():
        raise ValueError("Input should be the name of a time zone such as Europe/Berlin or UTC")
    return value


def _whole(value: object) -> object:
    # To JSON 7.0 is the same number as 7.
    return int(value) if isinstance(value, float) and value.is_integer() else value


UploadedFile = Annotated[FileStorage, PlainValidator(file_of), WithJsonSchema(BINARY_SCHEMA)]
QueryInteger = Annotated[int, BeforeValidator(_strict_integer)]
QueryBoolean = Annotated[bool, BeforeValidator(_strict_boolean)]
QueryId = Annotated[QueryInteger, Field(ge=1, le=MAX_ID)]
SafeText = Annotated[str, AfterValidator(_no_nul)]
TIME_ZONE_SCHEMA = {"type": "string", "format": "time-zone", "maxLength": 64, "examples": ["Europe/Berlin"]}
# A name of the IANA time zone database; letters count as written.
TimeZoneName = Annotated[SafeText, AfterValidator(_known_time_zone), WithJsonSchema(TIME_ZONE_SCHEMA)]
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIMESTAMP_SCHEMA = {
    "type": "string",
    "anyOf": [{"format": "date-time"}, {"format": "date"}],
    "examples": ["2026-01-31T12:00:00Z", "2026-01-31"],
}

_Instant = Annotated[
    PydanticAwareDatetime, Field(strict=False), BeforeValidator(_text_datetime), AfterValidator(_storable)
]

# A date alone is midnight in UTC.
Timestamp = Annotated[_Instant, BeforeValidator(_midnight), WithJsonSchema(TIMESTAMP_SCHEMA)]
# A date alone stays one: it ends when it does for the person, which `auth/preferences.py` knows.
Deadline = Annotated[_Instant, WrapValidator(_day_or_instant), WithJsonSchema(TIMESTAMP_SCHEMA)]

# After the bounds, or the document would lack them.
WHOLE_NUMBER = BeforeValidator(_whole)
Id = Annotated[int, Field(ge=1, le=MAX_ID), WHOLE_NUMBER]
