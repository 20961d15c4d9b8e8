"""Embedding provider of the process, and query embeddings. Created on first use, or by `preload` before a fork."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
from flask import Flask, current_app
from loguru import logger

from backend.ai.embeddings.factory import create_provider
from backend.ai.embeddings.provider import EmbeddingProvider, EmbeddingsUnavailable
from backend.ai.querying import QueryEmbedder, Vector
from backend.extensions import cache, current_settings
from backend.http.response_cache.store import digest_of
from config import Settings

RETRY_SECONDS = 30
VECTOR_SECONDS = 86_400
FIRST_TEXT = "warm-up"


@dataclass
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    provider: EmbeddingProvider | None = None
    embedder: QueryEmbedder | None = None
    fault: EmbeddingsUnavailable | None = None
    failed_at: float = 0.0


def embedding_provider(*, interactive: bool = True) -> EmbeddingProvider:
    """Return the provider of the settings; `interactive` where a person waits, not in a worker.

    Raises:
        EmbeddingsUnavailable: it is switched off, or could not be created; retried after 30 s.
    """
    slot = _slot()
    if slot.provider is not None:
        return slot.provider
    with slot.lock:
        if slot.provider is None:
            slot.provider = _make(slot, interactive)
        return slot.provider


def embed_query(text: str) -> tuple[Vector, str]:
    """Return the vector of a query, shape (dimension,), and its model. Repeated queries are cached.

    Raises:
        EmbeddingsUnavailable: there is no provider, or it failed within the last 30 s.
    """
    provider = embedding_provider()
    return _embedder(_slot(), provider).embed(text), provider.model


def preload(app: Flask) -> None:
    """Load the local model before the processes are forked, which then share its memory; no first search waits for it.

    A remote endpoint has nothing to load, and may cost money.
    """
    settings: Settings = app.extensions["settings"]
    if settings.EMBEDDING_PROVIDER != "local":
        return
    with app.app_context():
        try:
            embedding_provider().embed([FIRST_TEXT])
        except EmbeddingsUnavailable as fault:
            logger.warning("embeddings unavailable: {}", fault.reason)


def embedding_fault() -> str | None:
    """Return the provider's last fault in this process, or None."""
    try:
        fault = _embedder(_slot(), embedding_provider()).fault
    except EmbeddingsUnavailable as error:
        fault = error
    return fault.reason if fault else None


def _slot() -> _Slot:
    slot: _Slot = current_app.extensions.setdefault("embeddings", _Slot())
    return slot


def _embedder(slot: _Slot, provider: EmbeddingProvider) -> QueryEmbedder:
    with slot.lock:
        if slot.embedder is None or slot.embedder.provider is not provider:
            slot.embedder = QueryEmbedder(provider, lambda text: _shared_vector(provider, text))
        return slot.embedder


def _shared_vector(provider: EmbeddingProvider, text: str) -> Vector:
    """Return the vector of a text from Redis, where all processes share it, else from the provider."""
    return np.frombuffer(_vector_bytes(provider, text), dtype=np.float32)


def _vector_key(provider: EmbeddingProvider, text: str) -> str:
    return f"query-vector:{digest_of([provider.model, text])}"


@cache.cached(timeout=VECTOR_SECONDS, make_cache_key=_vector_key)
def _vector_bytes(provider: EmbeddingProvider, text: str) -> bytes:
    vector: Vector = provider.embed([text])[0].astype(np.float32)
    return vector.tobytes()


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
