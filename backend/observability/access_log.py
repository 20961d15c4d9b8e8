"""Access lines of a process that serves, written many at a time by a thread of its own.

A line alone takes the logger longer than a kept answer takes Redis, and each write lets another thread go first. So
lines wait for a tenth of a second, and are written by form: each of the logger's sinks takes one (see `accepts_format`).
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
# Of more than these the request that brings one more writes them itself: nothing piles up before a slow disk.
MAX_PENDING = 5_000
LEVEL = "INFO"
# Under which name a batch carries its form.
BATCH = "batch"


def accepts_format(form: LogFormat) -> FilterFunction:
    """A sink's filter: all single messages, and batches of this form."""

    def takes(record: Record) -> bool:
        return bool(record["extra"].get(BATCH, form) == form)

    return takes


def json_line(moment: datetime, level: str, message: str, name: str | None, extra: Mapping[str, Any]) -> str:
    """A JSON object without the end of the line; `moment` is aware."""
    stamp = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    fields = {"time": stamp, "level": level, "message": message, "logger": name, **extra}
    return orjson.dumps(fields, default=str).decode()


class AccessLog:
    """Takes lines, and writes them a moment later."""

    def __init__(self, name: str, forms: Collection[LogFormat]) -> None:
        """Starts its thread: to be made after the fork.

        Args:
            name: The logger that lines bear.
            forms: Those that some sink takes.
        """
        self._name = name
        self._forms = forms
        self._lines: deque[tuple[float, str, Mapping[str, Any]]] = deque()
        self._comes = threading.Event()
        self._writing = threading.Lock()
        threading.Thread(target=self._work, name="access-log", daemon=True).start()

    def add(self, message: str, extra: Mapping[str, Any]) -> None:
        """A line of this moment."""
        self._lines.append((time.time(), message, extra))
        if len(self._lines) > MAX_PENDING:
            self.flush()
        elif not self._comes.is_set():
            self._comes.set()

    def flush(self) -> None:
        """Write what waits, now."""
        with self._writing:
            waiting = [self._lines.popleft() for _ in range(len(self._lines))]
            if not waiting:
                return
            lines = [(datetime.fromtimestamp(seconds, UTC), message, extra) for seconds, message, extra in waiting]
            for form in self._forms:
                to_form = logger.bind(**{BATCH: form}).opt(raw=True)
                for batch in _batches(f"{self._line(form, *one)}\n" for one in lines):
                    to_form.log(LEVEL, batch)

    def _line(self, form: LogFormat, moment: datetime, message: str, extra: Mapping[str, Any]) -> str:
        if form == "json":
            return json_line(moment, LEVEL, message, self._name, extra)
        return _text_line(moment, message, extra)

    def _work(self) -> None:
        while True:
            self._comes.wait()
            time.sleep(WAIT_SECONDS)
            # Before what waits is taken: a line that comes now is taken along, or waits for the next round.
            self._comes.clear()
            self.flush()


def _batches(lines: Iterable[str]) -> Iterator[str]:
    """The lines, as many together as a pipe that several processes share takes in one piece."""
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
    """As the logger's own lines are in text, without colours."""
    shown = message if message.isprintable() else ascii(message)[1:-1]
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}Z {LEVEL: <7} {shown} {extra}"
