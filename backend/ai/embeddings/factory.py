"""Factory of embedding providers: the settings choose one."""

from __future__ import annotations

from backend.ai.embeddings.provider import EmbeddingProvider, EmbeddingsUnavailable
from backend.ai.embeddings.weights import MODEL
from config import Settings


def create_provider(settings: Settings, *, interactive: bool = False) -> EmbeddingProvider | None:
    """Create the provider of the settings; None for EMBEDDING_PROVIDER=none. Loads and connects on first use.

    Args:
        settings: the EMBEDDING_* settings, and FUZE_DATA_DIR for the local model.
        interactive: True where a person waits (a web process): one core, one short try of a remote endpoint. False in a
            worker: every core, and retries.

    Raises:
        EmbeddingsUnavailable: the settings do not fit, or the local model's weights are not installed.
    """
    if settings.EMBEDDING_PROVIDER == "local":
        # Half a second to import, which processes without it should not spend.
        from backend.ai.embeddings.local import DIMENSION, LocalEmbeddings  # noqa: PLC0415

        if (settings.EMBEDDING_MODEL, settings.EMBEDDING_DIMENSION) != (MODEL, DIMENSION):
            raise EmbeddingsUnavailable(
                f"EMBEDDING_PROVIDER=local takes EMBEDDING_MODEL={MODEL}, EMBEDDING_DIMENSION={DIMENSION}.",
                retryable=False,
            )
        return LocalEmbeddings(settings.FUZE_DATA_DIR, threads=1 if interactive else 0)
    if settings.EMBEDDING_PROVIDER == "openai":
        # Half a second to import, which processes without it should not spend.
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
