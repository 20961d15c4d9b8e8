"""The one way to get embeddings, whoever computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from config import Settings

Vectors = NDArray[np.float32]


class EmbeddingProvider(Protocol):
    """Turns texts into vectors; threads may share it. `model` and `dimension` stand beside every vector."""

    model: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text, in order: float32, shape (len(texts), dimension), rows of length 1.

        Raises:
            EmbeddingsUnavailable: no vectors now; all or nothing.
        """
        ...


class EmbeddingsUnavailable(Exception):
    """There are no vectors to be had.

    Attributes:
        reason: a plain sentence for the person who runs Fuze; never holds a key.
        retryable: whether the same call may work later without anybody changing a setting.
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable

    def again(self) -> EmbeddingsUnavailable:
        """Another one that says the same."""
        return EmbeddingsUnavailable(self.reason, retryable=self.retryable)


def create_provider(settings: Settings, *, interactive: bool = False) -> EmbeddingProvider | None:
    """The provider that the settings name; None for EMBEDDING_PROVIDER=none. Loads and connects on first use.

    Args:
        settings: the EMBEDDING_* settings, and FUZE_DATA_DIR for the local model.
        interactive: True where a person waits (a web process): one core, one short try of a remote endpoint.
            False in a worker: every core, and patience.

    Raises:
        EmbeddingsUnavailable: the settings do not fit, or the local model's weights are not installed.
    """
    if settings.EMBEDDING_PROVIDER == "local":
        # Half a second to import, which a process without it need not spend.
        from backend.ai.embeddings.local import DIMENSION, MODEL, LocalEmbeddings  # noqa: PLC0415

        if (settings.EMBEDDING_MODEL, settings.EMBEDDING_DIMENSION) != (MODEL, DIMENSION):
            raise EmbeddingsUnavailable(
                f"EMBEDDING_PROVIDER=local takes EMBEDDING_MODEL={MODEL}, EMBEDDING_DIMENSION={DIMENSION}.",
                retryable=False,
            )
        return LocalEmbeddings(settings.FUZE_DATA_DIR, threads=1 if interactive else 0)
    if settings.EMBEDDING_PROVIDER == "openai":
        # Half a second to import, which a process without it need not spend.
        from backend.ai.embeddings.openai import RemoteEmbeddings  # noqa: PLC0415

        return RemoteEmbeddings(
            base_url=settings.EMBEDDING_BASE_URL,
            api_key=settings.EMBEDDING_API_KEY.get_secret_value(),
            model=settings.EMBEDDING_MODEL,
            dimension=settings.EMBEDDING_DIMENSION,
            timeout=3.0 if interactive else 30.0,
            max_retries=0 if interactive else 2,
        )
    return None
