"""The process's embedding provider: made on first use, never before a fork."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import current_app
from loguru import logger

from backend.ai.embeddings.provider import EmbeddingProvider, EmbeddingsUnavailable, create_provider
from backend.extensions import current_settings

RETRY_SECONDS = 30


@dataclass
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    provider: EmbeddingProvider | None = None
    fault: EmbeddingsUnavailable | None = None
    failed_at: float = 0.0


def embedding_provider(*, interactive: bool = True) -> EmbeddingProvider:
    """The provider that the settings name; `interactive` where a person waits, not in a worker.

    Raises:
        EmbeddingsUnavailable: it is switched off, or could not be made; tried anew after 30 s.
    """
    slot: _Slot = current_app.extensions.setdefault("embeddings", _Slot())
    if slot.provider is not None:
        return slot.provider
    with slot.lock:
        if slot.provider is None:
            slot.provider = _make(slot, interactive)
        return slot.provider


@contextmanager
def noting_faults() -> Iterator[None]:
    """Remember, for health checks, whether what the block asked of the provider worked."""
    slot: _Slot = current_app.extensions.setdefault("embeddings", _Slot())
    try:
        yield
    except EmbeddingsUnavailable as fault:
        slot.fault = fault
        raise
    slot.fault = None


def embedding_fault() -> str | None:
    """What is wrong with the provider in this process, as far as it has been used, or None."""
    slot: _Slot = current_app.extensions.setdefault("embeddings", _Slot())
    try:
        embedding_provider()
    except EmbeddingsUnavailable as fault:
        return fault.reason
    return slot.fault.reason if slot.fault else None


def _make(slot: _Slot, interactive: bool) -> EmbeddingProvider:
    if slot.fault is not None and time.monotonic() - slot.failed_at < RETRY_SECONDS:
        raise slot.fault
    try:
        provider = create_provider(current_settings(), interactive=interactive)
        if provider is None:
            raise EmbeddingsUnavailable("Embeddings are switched off on this server.", retryable=False)
    except EmbeddingsUnavailable as fault:
        logger.warning("embeddings unavailable: {}", fault.reason)
        slot.fault, slot.failed_at = fault, time.monotonic()
        raise
    slot.fault = None
    return provider
