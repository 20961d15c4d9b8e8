"""Access log of a web process, written in batches by a thread.

One call of the logger takes longer than a cached response, and each write switches threads. So lines are buffered for a
tenth of a second, and written once for each format: each sink of the logger accepts one (see `accepts_format`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from loguru import logger

from backend.observability.log_lines import LINE_BYTES, LogFormat, json_line, text_line

if TYPE_CHECKING:
    from loguru import FilterFunction, Record

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


class AccessLog:
    """Access log: buffers lines, and writes them a moment later."""

    def __init__(self, name: str, forms: Collection[LogFormat], *, has_colors: bool = False) -> None:
        """Start the thread; call it after the fork.

        Args:
            name: The name of the logger in the lines.
            forms: The formats that some sink accepts.
            has_colors: Whether lines of text are coloured.
        """
        self._name = name
        self._forms = forms
        self._has_colors = has_colors
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
            for form in self._forms:
                to_form = logger.bind(**{BATCH: form}).opt(raw=True)
                for batch in _batches(f"{self._line(form, *line)}\n" for line in buffered):
                    to_form.log(LEVEL, batch)

    def _line(self, form: LogFormat, seconds: float, message: str, extra: Mapping[str, Any]) -> str:
        if form == "json":
            return json_line(seconds, LEVEL, message, self._name, extra)
        return text_line(seconds, LEVEL, message, extra, has_colors=self._has_colors)

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
        length = len(line) if line.isascii() else len(line.encode())
        if batch and size + length > LINE_BYTES:
            yield "".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += length
    if batch:
        yield "".join(batch)
