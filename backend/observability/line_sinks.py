"""Sinks of the log: each formats records by itself, so that no pattern is filled with what is logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from backend.observability.access_log import BATCH
from backend.observability.log_lines import LogFormat, json_line, text_line
from backend.observability.tracebacks import trace_of

if TYPE_CHECKING:
    from loguru import Message, Record


class LineOutput(Protocol):
    """Where whole lines go."""

    def write(self, lines: str) -> None:
        """Write lines, each with its end."""

    def close(self) -> None:
        """Write no more."""


class LineSink:
    """A sink of loguru that writes each record as one line in a format."""

    def __init__(self, output: LineOutput, form: LogFormat, *, has_colors: bool = False) -> None:
        self._output, self._form, self._has_colors = output, form, has_colors

    def write(self, message: Message) -> None:
        """Write a record, or a batch of lines that are formatted already."""
        self._output.write(lines_of(message, self._form, has_colors=self._has_colors))

    def stop(self) -> None:
        """Close the output: loguru calls this when the sink is removed."""
        self._output.close()


def lines_of(message: Message, form: LogFormat, *, has_colors: bool = False) -> str:
    """Format a record as a line with its end; a batch is returned as it is."""
    record = message.record
    if BATCH in record["extra"]:
        return str(message)
    return f"{_line(record, form, has_colors)}\n"


def no_pattern(record: Record) -> str:
    """Format nothing: `LineSink` does."""
    return ""


def _line(record: Record, form: LogFormat, has_colors: bool) -> str:
    error, extra = record["exception"], record["extra"]
    trace = trace_of(error.value) if error is not None else ""
    seconds, level, text = record["time"].timestamp(), record["level"].name, record["message"]
    if form == "json":
        return json_line(seconds, level, text, record["name"], {**extra, "exception": trace} if trace else extra)
    return text_line(seconds, level, text, extra, has_colors=has_colors, trace=trace)
