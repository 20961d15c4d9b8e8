"""What language models are spoken to with: a person's own provider, else the server's."""

from __future__ import annotations

from dataclasses import dataclass

from backend.ai.models import AiProvider
from backend.encryption import decrypt
from backend.extensions import db
from config import Settings


@dataclass(frozen=True)
class Credentials:
    """What is needed to speak to a provider. The key stays out of what is printed."""

    base_url: str
    model: str
    api_key: str | None

    def __repr__(self) -> str:
        return f"Credentials({self.base_url!r}, {self.model!r})"


def own_credentials(user_id: int) -> Credentials | None:
    """What the person's provider is spoken to with; None if none is set.

    Raises:
        Undecryptable: the key was encrypted with a `SECRET_KEY` that is known no more.
    """
    provider = db.session.get(AiProvider, user_id, populate_existing=True)
    if provider is None:
        return None
    api_key = decrypt(provider.api_key_encrypted) if provider.api_key_encrypted else None
    return Credentials(provider.base_url, provider.model, api_key)


def server_credentials(settings: Settings) -> Credentials | None:
    """What the operator's provider is spoken to with; None if none is set."""
    if not settings.LLM_BASE_URL:
        return None
    return Credentials(settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_API_KEY.get_secret_value() or None)
