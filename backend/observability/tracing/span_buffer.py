"""Buffer of ended spans: a thread of each process sends them in batches; who ends a span never waits."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

WAIT_SECONDS = 1.0
BATCH = 512
# More than a second of a busy process. What comes beyond that while the collector is slow is dropped.
MOST_WAITING = 8_192


class SpanBuffer(SpanProcessor):
    """Buffers spans, and sends them a second later.

    That of the SDK starts a thread when it is made and after every fork. Here the thread starts with the first span, so
    that processes fork without threads, and a job's process that records nothing has none.
    """

    def __init__(self, send: Callable[[Sequence[ReadableSpan]], None]) -> None:
        """Start nothing yet; `send` sends a batch and raises nothing."""
        self._send = send
        self._forget_parent()
        os.register_at_fork(after_in_child=self._forget_parent)

    def on_end(self, span: ReadableSpan) -> None:
        """Buffer a span that is sampled."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled or len(self._spans) >= MOST_WAITING:
            return
        self._spans.append(span)
        if self._thread is None:
            self._start()
        if len(self._spans) >= BATCH:
            self._is_full.set()

    def flush(self) -> None:
        """Send all buffered spans now."""
        with self._sending:
            while batch := [self._spans.popleft() for _ in range(min(BATCH, len(self._spans)))]:
                self._send(batch)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send all buffered spans now."""
        self.flush()
        return True

    def _forget_parent(self) -> None:
        """Begin empty; after a fork the parent sends its spans itself."""
        self._spans: deque[ReadableSpan] = deque()
        self._sending, self._starting = threading.Lock(), threading.Lock()
        self._is_full = threading.Event()
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="traces", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            self._is_full.wait(WAIT_SECONDS)
            self._is_full.clear()
            self.flush()
