"""Loggers of the standard library, warnings and uncaught exceptions, on their way through the application's log."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from loguru import logger

from backend.observability.log_lines import name_process

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

    from loguru import Logger, Record

QUIET_LOGGERS = (
    "trafilatura", "htmldate", "courlan", "justext", "pypdf", "httpx", "httpcore", "httpx2", "httpcore2", "openai",
    "fontTools",
)  # fmt: skip


def route_loggers() -> None:
    """Send what libraries log, from INFO, and what they warn of through loguru."""
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.INFO, force=True)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.showwarning = _log_warning


def begin_process(name: str) -> None:
    """Name this process in the log, and log the exceptions that nothing catches.

    For processes of Fuze alone: tests and commands see such exceptions themselves.
    """
    name_process(name)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_end_of_thread
    sys.unraisablehook = _log_unraisable


def logger_named(name: str) -> Logger:
    """Return the logger under another name than that of the module that calls it."""

    def rename(record: Record) -> None:
        record["name"] = name

    return logger.patch(rename)


class _ToLoguru(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        level: str | int = record.levelname if record.levelname in logger._core.levels else record.levelno  # type: ignore[attr-defined]
        logger_named(record.name).opt(exception=record.exc_info).log(level, "{}", _message_of(record))


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # The arguments do not fit the message: that costs no line.
        return str(record.msg)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    logger_named("warnings").warning("{}: {} ({}:{})", category.__name__, message, filename, lineno)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.opt(exception=error).critical("the process ends by an exception")


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:
        name = ended.thread.name if ended.thread else "?"
        logger.opt(exception=ended.exc_value).error("the thread {} ended by an exception", name)


def _log_unraisable(found: UnraisableHookArgs) -> None:
    logger.opt(exception=found.exc_value).error("{}: {}", found.err_msg or "exception ignored in", repr(found.object))
