"""Access log of a web process, written in batches by a thread.

One call of the logger takes longer than a cached response, and each write switches threads. So lines are buffered for a
tenth of a second, and written once for each format: each sink of the logger accepts one (see `accepts_format`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from select import PIPE_BUF
from typing import TYPE_CHECKING, Any, Literal

import orjson
from loguru import logger

if TYPE_CHECKING:
    from loguru import FilterFunction, Record

LogFormat = Literal["text", "json"]

WAIT_SECONDS = 0.1
# Past this number the request that adds a line writes them itself: a slow disk must not pile up lines.
MAX_PENDING = 5_000
LEVEL = "INFO"
# Key of the format of a batch in the record.
BATCH = "batch"


def accepts_format(form: LogFormat) -> FilterFunction:
    """Make the filter of a sink: all single messages, and batches of its format."""

    def accepts(record: Record) -> bool:
        return bool(record["extra"].get(BATCH, form) == form)

    return accepts


def json_line(moment: datetime, level: str, message: str, name: str | None, extra: Mapping[str, Any]) -> str:
    """Format a JSON line, without its end; `moment` is aware."""
    stamp = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    fields = {"time": stamp, "level": level, "message": message, "logger": name, **extra}
    return orjson.dumps(fields, default=str).decode()


class AccessLog:
    """Access log: buffers lines, and writes them a moment later."""

    def __init__(self, name: str, forms: Collection[LogFormat]) -> None:
        """Start the thread; call it after the fork.

        Args:
            name: The name of the logger in the lines.
            forms: The formats that some sink accepts.
        """
        self._name = name
        self._forms = forms
        self._lines: deque[tuple[float, str, Mapping[str, Any]]] = deque()
        self._has_lines = threading.Event()
        self._writing = threading.Lock()
        threading.Thread(target=self._work, name="access-log", daemon=True).start()

    def add(self, message: str, extra: Mapping[str, Any]) -> None:
        """Add a line with the current time."""
        self._lines.append((time.time(), message, extra))
        if len(self._lines) > MAX_PENDING:
            self.flush()
        elif not self._has_lines.is_set():
            self._has_lines.set()

    def flush(self) -> None:
        """Write all buffered lines now."""
        with self._writing:
            buffered = [self._lines.popleft() for _ in range(len(self._lines))]
            if not buffered:
                return
            lines = [(datetime.fromtimestamp(seconds, UTC), message, extra) for seconds, message, extra in buffered]
            for form in self._forms:
                to_form = logger.bind(**{BATCH: form}).opt(raw=True)
                for batch in _batches(f"{self._line(form, *line)}\n" for line in lines):
                    to_form.log(LEVEL, batch)

    def _line(self, form: LogFormat, moment: datetime, message: str, extra: Mapping[str, Any]) -> str:
        if form == "json":
            return json_line(moment, LEVEL, message, self._name, extra)
        return _text_line(moment, message, extra)

    def _work(self) -> None:
        while True:
            self._has_lines.wait()
            time.sleep(WAIT_SECONDS)
            # Cleared before the flush: a line that comes now is flushed too, or sets it again.
            self._has_lines.clear()
            self.flush()


def _batches(lines: Iterable[str]) -> Iterator[str]:
    """Join lines into batches that a pipe shared by several processes takes atomically."""
    batch: list[str] = []
    size = 0
    for line in lines:
        length = len(line.encode())
        if batch and size + length > PIPE_BUF:
            yield "".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += length
    if batch:
        yield "".join(batch)


def _text_line(moment: datetime, message: str, extra: Mapping[str, Any]) -> str:
    """Format a text line as the logger does, without colours."""
    shown = message if message.isprintable() else ascii(message)[1:-1]
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}Z {LEVEL: <7} {shown} {extra}"
