"""Values of prometheus-client's metrics in shared files, in place of the library's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from backend.observability.metrics.storage import NOWHERE, storage


def key_of(family: str, name: str, label_values: Sequence[str], mode: str = "sum") -> bytes:
    """Return the key of a value in the storage; `mode` says how those of several processes become one."""
    return orjson.dumps([mode, family, name, list(label_values)])


class SharedValue:
    """One number of a metric, changed where it is stored. Threads may share it.

    prometheus-client makes one for each counter and gauge, and for the sum and each bucket of a histogram. A value is
    stored from its first change on.
    """

    def __init__(
        self,
        kind: str,
        family: str,
        name: str,
        label_names: Sequence[str],
        label_values: Sequence[str],
        help_text: str,
        multiprocess_mode: str = "sum",
        **_: Any,
    ) -> None:
        """Take the arguments that the library gives."""
        self._key = key_of(family, name, label_values, multiprocess_mode)
        self._epoch: object = None
        self._numbers, self._index = NOWHERE, 0

    def inc(self, amount: float) -> None:
        """Add to the value."""
        with storage.lock:
            if self._epoch is not storage.epoch:
                self._find()
            self._numbers[self._index] += amount

    def set(self, value: float, timestamp: float | None = None) -> None:
        """Set the value."""
        with storage.lock:
            if self._epoch is not storage.epoch:
                self._find()
            self._numbers[self._index] = value

    def get(self) -> float:
        """Return the value of this process."""
        with storage.lock:
            if self._epoch is not storage.epoch:
                self._find()
            return self._numbers[self._index]

    def _find(self) -> None:
        self._numbers, self._index = storage.place(self._key)
        self._epoch = storage.epoch
