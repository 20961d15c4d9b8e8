"""Fields of a message: readers that bound and validate what stands in Redis."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, NamedTuple, cast

import redis
from rq.exceptions import NoSuchJobError
from rq.job import JobStatus

from backend.jobs.former_names import FORMER_NAMES
from backend.jobs.registry import Declaration, InvalidArguments, declared_job

FIELDS = ("data", "meta", "origin", "timeout", "status")
MOST_BYTES = 65_536
DEFAULT_TIMEOUT_SECONDS, LONGEST_TIMEOUT_SECONDS = 120, 3_600
WORD = re.compile(r"[\w.:/-]{1,200}", re.ASCII)


# W3C Trace Context, version 00.
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


class MessageOrigin(NamedTuple):
    """What a message works for: the id of a request, and what continues its trace; empty where there is none."""

    request_id: str = ""
    traceparent: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """What there is of it, as it is stored."""
        return {name: value for name, value in self._asdict().items() if value}


class MalformedMessage(NoSuchJobError):
    """A message that no worker can run. RQ treats it as missing and goes on to the next."""


def read_fields(connection: redis.Redis, key: str) -> dict[str, bytes]:
    """Read the fields of a message, bounded in size. Two round trips.

    Raises:
        MalformedMessage: they are too large, or of another type.
        NoSuchJobError: there is no such message.
    """
    try:
        with connection.pipeline(transaction=False) as pipeline:
            for field in FIELDS:
                pipeline.hstrlen(key, field)
            sizes = pipeline.execute()
        if not any(sizes):
            raise NoSuchJobError(f"No such message: {key}")
        if sum(sizes) > MOST_BYTES:
            raise MalformedMessage("size")
        values = cast("list[bytes | None]", connection.hmget(key, FIELDS))
    except redis.ResponseError as error:
        if "WRONGTYPE" in str(error):
            raise MalformedMessage("type") from None
        raise
    return {field: value for field, value in zip(FIELDS, values, strict=True) if value is not None}


def unpack(packed: bytes) -> bytes:
    """Decompress the call of a message, bounded in size.

    Raises:
        MalformedMessage: it cannot be decompressed.
    """
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(packed, MOST_BYTES)
    except zlib.error:
        raise MalformedMessage("data") from None
    if not unpacking.eof:
        raise MalformedMessage("data")
    return data


def read_call(data: bytes) -> tuple[str, tuple[()], dict[str, Any]]:
    """Parse a call: name, positional and named arguments.

    Raises:
        MalformedMessage: it is no call by name with named arguments.
    """
    try:
        name, instance, positional, named = json.loads(data)
    except (ValueError, TypeError, RecursionError):
        raise MalformedMessage("data") from None
    if not isinstance(name, str) or instance is not None or positional != [] or not isinstance(named, dict):
        raise MalformedMessage("data")
    return name, (), named


def declaration_of(name: str, arguments: dict[str, Any]) -> Declaration:
    """Return the declared job of this name, whose signature the arguments fit.

    Raises:
        MalformedMessage: there is none, or they do not fit.
    """
    declaration = declared_job(FORMER_NAMES.get(name, name))
    if declaration is None:
        raise MalformedMessage("function")
    try:
        declaration.check(arguments)
    except InvalidArguments:
        raise MalformedMessage("arguments") from None
    return declaration


def read_timeout(raw: bytes | None) -> int:
    """Parse the time-out of a message, in seconds.

    Raises:
        MalformedMessage: it is no number, or out of bounds.
    """
    if raw is None:
        return DEFAULT_TIMEOUT_SECONDS
    if not re.fullmatch(rb"[0-9]{1,4}", raw) or not 1 <= int(raw) <= LONGEST_TIMEOUT_SECONDS:
        raise MalformedMessage("timeout")
    return int(raw)


def read_word(raw: bytes) -> str:
    """Parse the name of a queue.

    Raises:
        MalformedMessage: it is no name.
    """
    text = raw.decode(errors="replace")
    if not WORD.fullmatch(text):
        raise MalformedMessage("origin")
    return text


def read_origin(raw: bytes) -> MessageOrigin:
    """Return where a message comes from, for log and traces; what is malformed is left out."""
    try:
        meta = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        return MessageOrigin()
    found = meta if isinstance(meta, dict) else {}
    return MessageOrigin(_matching(found.get("request_id"), WORD), _matching(found.get("traceparent"), TRACEPARENT))


def _matching(value: object, form: re.Pattern[str]) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else ""


def read_status(raw: bytes) -> JobStatus | None:
    """Parse RQ's status of a message; None for any other text."""
    text = raw.decode(errors="replace")
    return next((status for status in JobStatus if status.value == text), None)
