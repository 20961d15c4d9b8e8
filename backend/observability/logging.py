"""Logging: coloured text in development, JSON lines in production, UTC, one access line for each request (R-LOG)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from loguru import logger
from pydantic import SecretStr

from backend.observability.access_log import BATCH, AccessLog, accepts_format
from backend.observability.line_sinks import LineSink, no_pattern
from backend.observability.line_stream import STANDARD_ERROR, LineStream
from backend.observability.log_files import DailyLogFile, is_full
from backend.observability.log_lines import MOST_MESSAGE, LogFormat, json_line, shortened, text_line
from backend.observability.redaction import hide_values, loggable_path, redact, redact_fields
from backend.observability.stdlib_logging import logger_named, route_loggers
from config import Settings

if TYPE_CHECKING:
    from loguru import Record

# Health checks and scrapes of metrics: many, all the same, and of interest when they fail.
PROBES = ("/api/health", "/metrics")
LEVELS_WITH_ACCESS_LINES = ("DEBUG", "INFO")
LONGEST_PATH, REMEMBERED_PATHS = 500, 2_048
# The name of the logger in access lines.
ACCESS = "access"

_access_log: AccessLog | None = None
_log_file: DailyLogFile | None = None
_request_fields: Callable[[], Mapping[str, Any]] = dict
_trace_id: Callable[[], str] | None = None
_has_access_lines = True
_probes_every = 1
_probes = count()


def configure_logging(settings: Settings) -> None:
    """Send everything, the standard library's loggers included, through loguru."""
    global _log_file, _has_access_lines, _probes_every
    _has_access_lines = settings.LOG_LEVEL in LEVELS_WITH_ACCESS_LINES
    _probes_every = settings.LOG_PROBES_EVERY
    hide_values(_secrets_of(settings))
    _shown_path.cache_clear()
    logger.remove()
    logger.configure(patcher=_complete)
    form = _console_form(settings)
    console = LineStream(lambda text: _notice(text, form))
    _add_sink(LineSink(console, form, has_colors=_has_colors(settings)), form, settings)
    _log_file = None
    if settings.LOG_DIR:
        _log_file = DailyLogFile(
            settings.LOG_DIR, lambda text: console.write(_notice(text, form)), lambda text: _notice(text, "json")
        )
        _add_sink(LineSink(_log_file, "json"), "json", settings)
    if settings.SENTRY_DSN:
        # The SDK takes 3 MB: it is loaded where errors are reported, and nowhere else.
        from backend.observability.error_reports import LEVEL, ErrorReports  # noqa: PLC0415

        logger.add(ErrorReports(settings), level=LEVEL, format=no_pattern, backtrace=False, diagnose=False)
    route_loggers()


def name_requests(request_fields: Callable[[], Mapping[str, Any]]) -> None:
    """Give every line that is logged during a request the fields that this function returns; empty: no request."""
    global _request_fields
    _request_fields = request_fields


def name_traces(trace_id: Callable[[], str] | None) -> None:
    """Give every line the trace that this function returns; None: traces are off."""
    global _trace_id
    _trace_id = trace_id


def start_batches(settings: Settings) -> None:
    """Write the access lines of this process in batches from now on. Call it after the fork."""
    global _access_log
    form = _console_form(settings)
    forms: set[LogFormat] = {form, "json"} if settings.LOG_DIR else {form}
    _access_log = AccessLog(ACCESS, forms, has_colors=_has_colors(settings))


def flush_batches() -> None:
    """Write the buffered access lines."""
    if _access_log is not None:
        _access_log.flush()


def log_access(*, method: str, path: str, status: int, started: float, **more: Any) -> None:
    """Log the line of a request; `started` is the value of `time.perf_counter` at its start.

    Of health checks and scrapes that succeed only each LOG_PROBES_EVERYth is logged, which says so.
    """
    if not _has_access_lines:
        return
    if _trace_id is not None and (trace_id := _trace_id()):
        more["trace_id"] = trace_id
    shown, is_probe = _shown_path(path if len(path) <= LONGEST_PATH else path[:LONGEST_PATH])
    if is_probe and status < 400 and _probes_every > 1:
        if next(_probes) % _probes_every:
            return
        more["sampled"] = _probes_every
    duration_ms = round((time.perf_counter() - started) * 1000, 2)
    extra = {"method": method, "status": status, "duration_ms": duration_ms, **more}
    message = f"{method} {shown} {status}"
    if _access_log is not None:
        _access_log.add(message, extra)
    else:
        logger_named(ACCESS).bind(**extra).info("{}", message)


@lru_cache(maxsize=REMEMBERED_PATHS)
def _shown_path(path: str) -> tuple[str, bool]:
    """Return a path as it is logged, and whether it is that of a probe."""
    return loggable_path(path), path.startswith(PROBES)


def log_fault() -> str | None:
    """Return why lines are missing from the log files; None if none are, or if there are no files."""
    if _log_file is None:
        return None
    return _log_file.fault or ("the disk is full" if is_full(_log_file.folder) else None)


def _add_sink(sink: LineSink, form: LogFormat, settings: Settings) -> None:
    # Variables in a traceback could be secrets: loguru's own tracebacks, with values, are off.
    logger.add(
        sink,
        format=no_pattern,
        filter=accepts_format(form),
        level=settings.LOG_LEVEL,
        colorize=False,
        backtrace=False,
        diagnose=False,
    )


def _console_form(settings: Settings) -> LogFormat:
    return "json" if settings.ENVIRONMENT == "production" else "text"


def _has_colors(settings: Settings) -> bool:
    if settings.LOG_COLOR == "auto":
        return os.isatty(STANDARD_ERROR)
    return settings.LOG_COLOR == "always"


def _notice(text: str, form: LogFormat) -> str:
    """Format a line about the log itself."""
    now = time.time()
    line = (
        json_line(now, "WARNING", text, __name__, {})
        if form == "json"
        else text_line(now, "WARNING", text, {}, has_colors=False)
    )
    return f"{line}\n"


def _complete(record: Record) -> None:
    """Add the request's fields to a record, and hide its secrets."""
    extra = record["extra"]
    if BATCH not in extra:
        record["extra"] = redact_fields({**_request_fields(), **_trace_fields(), **extra})
        record["message"] = shortened(redact(record["message"]), MOST_MESSAGE)


def _trace_fields() -> dict[str, str]:
    return {"trace_id": trace_id} if _trace_id is not None and (trace_id := _trace_id()) else {}


def _secrets_of(settings: Settings) -> Iterator[str]:
    """Return the secret settings, and the passwords in addresses as they are and decoded."""
    for value in vars(settings).values():
        for item in value if isinstance(value, list) else [value]:
            text = item.get_secret_value() if isinstance(item, SecretStr) else item if isinstance(item, str) else ""
            if isinstance(item, SecretStr):
                yield text
            with suppress(ValueError):
                if "://" in text and (password := urlsplit(text).password):
                    yield from (password, unquote(password))
