"""Log lines: a record as one line of JSON, or as coloured text; nothing that is logged can forge or restyle a line."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from select import PIPE_BUF
from typing import Any, Literal

import orjson

LogFormat = Literal["text", "json"]

# What a pipe takes in one piece: lines of several processes never mix.
LINE_BYTES = PIPE_BUF
MOST_MESSAGE, MOST_VALUE = 2_000, 1_000
CUT = "[…]"
DELETE = b"\x7f"
# A value that is cut gives up a little more than is too much: what is escaped takes up to six times its length.
LEAST_CUT = 64
MOST_CUTS, MOST_FIELDS = 32, 16
COLORS = {"DEBUG": "\x1b[34m", "INFO": "\x1b[1m", "WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[41m"}
GREEN, DIM, PLAIN = "\x1b[32m", "\x1b[2m", "\x1b[0m"

_process = "cli"
# The last second that was formatted.
_second: tuple[int, str] = (-1, "")


def name_process(name: str) -> None:
    """Set the name of this process, and of its forks, in JSON lines."""
    global _process
    _process = name


def json_line(seconds: float, level: str, message: str, name: str | None, extra: Mapping[str, Any]) -> str:
    """Format a JSON line of at most `LINE_BYTES` bytes, without its end.

    Args:
        seconds: The time, in seconds since 1970.
        level: The name of the level.
        message: What happened.
        name: The name of the logger.
        extra: All other fields; a longest text among them is shortened where the line is too long.
    """
    fields = {
        "timestamp": _timestamp(seconds),
        "level": level,
        "message": message,
        "logger": name,
        "process": _process,
        "pid": os.getpid(),
        **extra,
    }
    line = _dump(fields)
    return line if _size(line) < LINE_BYTES else _fitting(fields, line)


def text_line(
    seconds: float, level: str, message: str, extra: Mapping[str, Any], *, has_colors: bool, trace: str = ""
) -> str:
    """Format a line of text for people, without its end; the lines of a traceback follow, indented."""
    moment = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{int(seconds * 1000) % 1000:03}Z"
    fields = escaped(str(dict(extra))) if extra else ""
    lines = [f"  {escaped(line)}" for line in trace.splitlines()]
    if has_colors:
        color = COLORS.get(level, "")
        head = f"{GREEN}{moment}{PLAIN} {color}{level: <7} {escaped(message)}{PLAIN}"
        fields = f"{DIM}{fields}{PLAIN}" if fields else ""
    else:
        head = f"{moment} {level: <7} {escaped(message)}"
    return "\n".join([f"{head} {fields}".rstrip(), *lines])


def escaped(text: str) -> str:
    r"""Escape what is not printable: line breaks, ANSI sequences, marks that change the direction of text.

    The escapes are those of JSON, `\uXXXX`.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escape(sign) for sign in text)


def shortened(text: str, length: int) -> str:
    """Return the beginning of a text that is longer than `length`."""
    return text if len(text) <= length else text[: max(length - len(CUT), 0)] + CUT


def without_middle(text: str, length: int) -> str:
    """Return a text of at most `length` characters: its beginning, and three times as much of its end."""
    if len(text) <= length:
        return text
    room = max(length - len(CUT) - 2, 0)
    head = room // 4
    return f"{text[:head]}\n{CUT}\n{text[len(text) - (room - head) :]}"


def _timestamp(seconds: float) -> str:
    """Format a time in UTC as of RFC 3339, with microseconds; its second is formatted once for all lines of it."""
    global _second
    whole = int(seconds)
    second, prefix = _second
    if whole != second:
        prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _second = whole, prefix
    return f"{prefix}.{int((seconds - whole) * 1_000_000):06d}Z"


def _dump(fields: Mapping[str, Any]) -> str:
    try:
        line = orjson.dumps(fields, default=str)
    except TypeError:  # Half of a surrogate pair, or a number of more than 64 bits.
        return escaped(json.dumps(fields, default=str))
    # The other signs of ASCII that are not printable, orjson has escaped.
    return line.decode() if line.isascii() and DELETE not in line else escaped(line.decode())


def _size(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode())


def _fitting(fields: dict[str, Any], line: str) -> str:
    """Shorten the longest values until the line fits; of very many values only the first are left."""
    for _ in range(MOST_CUTS):
        _shorten(fields, _size(line) - LINE_BYTES + LEAST_CUT)
        line = _dump(fields)
        if _size(line) < LINE_BYTES:
            return line
    return _dump({name: shortened(str(fields[name]), LEAST_CUT) for name in list(fields)[:MOST_FIELDS]})


def _shorten(fields: dict[str, Any], excess: int) -> None:
    """Cut the longest value by so many characters, at most to an eighth."""
    name = max(fields, key=lambda name: len(str(fields[name])))
    text = str(fields[name])
    length = max(len(text) - excess, len(text) // 8)
    fields[name] = without_middle(text, length) if name == "exception" else shortened(text, length)


def _escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
