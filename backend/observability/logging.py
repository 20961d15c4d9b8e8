"""Logging: coloured text in development, JSON lines in production, UTC, one access line for each request (R-LOG)."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import psycopg2
from loguru import logger

from backend.observability.access_log import AccessLog, LogFormat, accepts_format, json_line
from backend.observability.redaction import FEED_TOKEN
from config import Settings

if TYPE_CHECKING:
    from loguru import Record

TEXT_FORMAT = (
    "<green>{time:YYYY-MM-DD HH:mm:ss.SSS!UTC}Z</green> <level>{level: <7}</level> <level>{message}</level>"
    " <dim>{extra}</dim>"
)
QUIET_LOGGERS = (
    "trafilatura", "htmldate", "courlan", "justext", "pypdf", "httpx", "httpcore", "httpx2", "httpcore2", "openai",
    "fontTools",
)  # fmt: skip

_access_log: AccessLog | None = None
_current_request_id: Callable[[], str] = str


def configure_logging(settings: Settings) -> None:
    """Send everything, the standard library's loggers included, through loguru."""
    logger.remove()
    logger.configure(patcher=_name_request)
    # Variables in a traceback could be passwords.
    usual: dict[str, Any] = {"level": settings.LOG_LEVEL, "backtrace": False, "diagnose": False}
    form = _console_form(settings)
    logger.add(sys.stderr, format=_json_format if form == "json" else TEXT_FORMAT, filter=accepts_format(form), **usual)
    if settings.LOG_DIR:
        logger.add(
            settings.LOG_DIR / "app_{time:YYYY-MM-DD!UTC}.log",
            format=_json_format,
            filter=accepts_format("json"),
            rotation="500 MB",
            retention="30 days",
            **usual,
        )
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.INFO, force=True)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def name_requests(current_request_id: Callable[[], str]) -> None:
    """Give every line that is logged during a request the id that this function returns; empty: no request."""
    global _current_request_id
    _current_request_id = current_request_id


def start_batches(settings: Settings) -> None:
    """Write the access lines of this process in batches from now on. Call it after the fork."""
    global _access_log
    forms: set[LogFormat] = {_console_form(settings)}
    _access_log = AccessLog(__name__, forms | {"json"} if settings.LOG_DIR else forms)


def flush_batches() -> None:
    """Write the buffered access lines."""
    if _access_log is not None:
        _access_log.flush()


def _console_form(settings: Settings) -> LogFormat:
    return "json" if settings.ENVIRONMENT == "production" else "text"


def _name_request(record: Record) -> None:
    if request_id := _current_request_id():
        record["extra"].setdefault("request_id", request_id)


def log_access(*, method: str, path: str, status: int, started: float, **more: Any) -> None:
    """Log the line of a request; `started` is the value of `time.perf_counter` at its start."""
    duration_ms = round((time.perf_counter() - started) * 1000, 2)
    extra = {"method": method, "status": status, "duration_ms": duration_ms, **more}
    message = f"{method} {FEED_TOKEN.sub('…', path)} {status}"
    if _access_log is not None:
        _access_log.add(message, extra)
    else:
        logger.bind(**extra).info("{}", message)


class _ToLoguru(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        frame: FrameType | None = logging.currentframe()
        depth = 2
        while frame and frame.f_code.co_filename == logging.__file__:
            frame, depth = frame.f_back, depth + 1
        level: str | int = record.levelname if record.levelname in logger._core.levels else record.levelno  # type: ignore[attr-defined]
        logger.opt(depth=depth, exception=record.exc_info).log(level, "{}", record.getMessage())


def _json_format(record: Record) -> str:
    """Format a record for loguru: a format with one field, the whole line."""
    extra = {name: value for name, value in record["extra"].items() if name != "line"}
    if record["exception"] is not None:
        extra["exception"] = _trace(record["exception"].value)
    line = json_line(record["time"], record["level"].name, record["message"], record["name"], extra)
    record["extra"]["line"] = line
    return "{extra[line]}\n"


def _trace(error: BaseException | None) -> str:
    """Format a traceback. Errors of PostgreSQL keep their first line only: the others quote values of the statement."""
    trace = "".join(traceback.format_exception(error))
    while error is not None:
        if isinstance(error, psycopg2.Error):
            trace = trace.replace(str(error).strip(), error.diag.message_primary or "the connection failed")
        error = error.__cause__ or error.__context__
    return trace
