"""Reports of errors to Sentry and what is compatible with it: every line of level ERROR and above becomes an event.

`configure_logging` imports this module only if SENTRY_DSN is set. An event holds what the line does, after the same
redaction, and no mail addresses: none of the SDK's integrations runs, which would add bodies, cookies and headers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sentry_sdk
from loguru import logger
from sentry_sdk.transport import HttpTransport
from sentry_sdk.utils import exc_info_from_error, exceptions_from_error_tuple

from backend.observability.access_log import BATCH
from backend.observability.flushing import flush_at_end
from backend.observability.redaction import redact_for_others
from backend.observability.tracebacks import without_quoted_values
from config import VERSION, Settings

if TYPE_CHECKING:
    from loguru import Message, Record
    from sentry_sdk.types import Event

LEVEL = "ERROR"
FLUSH, FLUSH_SECONDS = "errors", 2.0
LEVELS = {"ERROR": "error", "CRITICAL": "fatal"}
# Loggers of what sends the events: a fault there must not become another event.
OF_SENDING = ("sentry_sdk", "urllib3")
# What can be searched for; the rest of a line's fields stands beside.
TAGS = ("request_id", "trace_id", "route", "method", "job", "kind", "process")


OF_EXCEPTIONS = {"include_local_variables": False, "include_source_context": True, "max_value_length": 2_000}


class ReportingTransport(HttpTransport):
    """Transport that says once for each process that reports are not taken."""

    _is_said = False

    def on_dropped_event(self, _reason: str) -> None:
        if not self._is_said:
            self._is_said = True
            logger.warning("reports of errors are dropped: {}", _reason)


class ErrorReports:
    """Sink of the log that reports errors; a thread of the SDK sends them."""

    def __init__(self, settings: Settings) -> None:
        """Connect to nothing yet."""
        for name in OF_SENDING:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        sentry_sdk.init(
            dsn=settings.SENTRY_DSN.get_secret_value(),
            release=settings.GIT_REVISION or VERSION,
            environment=settings.ENVIRONMENT,
            transport=ReportingTransport,
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            shutdown_timeout=FLUSH_SECONDS,
            server_name="",
        )
        flush_at_end(FLUSH, lambda: sentry_sdk.flush(FLUSH_SECONDS))

    def write(self, message: Message) -> None:
        """Report a record."""
        record = message.record
        if BATCH in record["extra"] or (record["name"] or "").startswith(OF_SENDING):
            return
        sentry_sdk.capture_event(event_of(record))
        if record["level"].name == "CRITICAL":
            sentry_sdk.flush(FLUSH_SECONDS)  # The process ends.

    def stop(self) -> None:
        """Report nothing more: loguru calls this when the sink is removed."""
        flush_at_end(FLUSH, None)
        sentry_sdk.flush(FLUSH_SECONDS)


def event_of(record: Record) -> Event:
    """Make the event of a record, whose message and fields the log has redacted already."""
    fields = without_addresses(record["extra"])
    event: dict[str, Any] = {
        "level": LEVELS.get(record["level"].name, "error"),
        "logger": record["name"],
        "logentry": {"formatted": redact_for_others(record["message"])},
        "tags": {name: str(fields.pop(name)) for name in TAGS if fields.get(name) is not None},
        "extra": fields,
    }
    error = record["exception"].value if record["exception"] is not None else None
    if error is not None:
        event["exception"] = {"values": described(error)}
    return event  # type: ignore[return-value]


def described(error: BaseException) -> list[dict[str, Any]]:
    """Describe an exception and its causes: types, redacted messages and frames without variables."""
    values = exceptions_from_error_tuple(exc_info_from_error(error), OF_EXCEPTIONS)
    for value in values:
        value["value"] = redact_for_others(without_quoted_values(str(value.get("value") or ""), error))
    return values


def without_addresses(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a line without mail addresses."""
    return {name: _without_addresses(value) for name, value in fields.items()}


def _without_addresses(value: Any) -> Any:
    if isinstance(value, str):
        return redact_for_others(value)
    if isinstance(value, Mapping):
        return without_addresses(value)
    return [_without_addresses(inner) for inner in value] if isinstance(value, list) else value
