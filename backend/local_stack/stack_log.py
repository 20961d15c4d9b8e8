"""Log of `up`: what its services print, under their names, and what it says itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from backend.observability.log_files import DailyLogFile
from backend.observability.log_lines import json_line
from backend.observability.redaction import redact
from config import Settings

# The others write their own lines to the log files.
PRINTS_ONLY = ("fuze", "postgres", "redis")
# How a line begins that is JSON already.
JSON_LINE = '{"timestamp":'

PrintLine = Callable[[str, str], str]


def text_printer(name_width: int) -> PrintLine:
    """Make the form of lines for people: the service's name, and what it printed."""
    return lambda name, line: f"{name:<{name_width}} | {line}"


def printer_of(settings: Settings, name_width: int) -> PrintLine:
    """Return how a line of a service is printed: JSON in production.

    The log files get the lines that no service writes there itself.
    """
    is_json = settings.ENVIRONMENT == "production"
    to_text = text_printer(name_width)
    file = (
        DailyLogFile(settings.LOG_DIR, _leave_to_others, lambda text: f"{_as_json('up', text)}\n")
        if settings.LOG_DIR
        else None
    )

    def printed(name: str, line: str) -> str:
        if file is not None and name in PRINTS_ONLY and line:
            file.write(f"{_as_json(name, line)}\n")
        return _as_json(name, line) if is_json else to_text(name, line)

    return printed


def _as_json(name: str, line: str) -> str:
    return line if line.startswith(JSON_LINE) else json_line(time.time(), "INFO", redact(line), name, {})


def _leave_to_others(text: str) -> None:
    """Ignore that the file cannot be written: each process that writes there tells it."""
