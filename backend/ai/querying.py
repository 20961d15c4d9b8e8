"""Query embeddings: single texts, with a person waiting, often repeated."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backend.ai.embeddings.provider import EmbeddingProvider, EmbeddingsUnavailable
from backend.circuit_breaker import CircuitBreaker

REMEMBERED = 1_024
BREAK_SECONDS = 30.0

Vector = NDArray[np.float32]


class QueryEmbedder:
    """Embeds queries with one provider behind a circuit breaker, with an LRU cache of 1,024 vectors. Thread-safe."""

    def __init__(self, provider: EmbeddingProvider, embed: Callable[[str], Vector] | None = None) -> None:
        """Remember nothing yet; `embed` asks the provider for one vector, where it does more than that."""
        self.provider = provider
        self._embed = embed or (lambda text: provider.embed([text])[0])
        self._breaker = CircuitBreaker(EmbeddingsUnavailable, EmbeddingsUnavailable.copy, seconds=BREAK_SECONDS)
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, Vector] = OrderedDict()

    @property
    def fault(self) -> EmbeddingsUnavailable | None:
        """The fault of the last call, or None after a success."""
        return self._breaker.fault

    def embed(self, text: str) -> Vector:
        """Return the vector of a text: float32, shape (dimension,), read-only.

        Raises:
            EmbeddingsUnavailable: the provider failed, or has failed within the last 30 s.
        """
        with self._lock:
            if text in self._vectors:
                self._vectors.move_to_end(text)
                return self._vectors[text]
        vector: Vector = self._breaker.call(lambda: self._embed(text))
        vector.flags.writeable = False
        with self._lock:
            self._vectors[text] = vector
            if len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)
        return vector
