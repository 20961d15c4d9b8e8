"""Credentials of language models: a person's own provider, else the server's."""

from __future__ import annotations

from dataclasses import dataclass

from backend.ai.models import AiProvider
from backend.encryption import decrypt
from backend.extensions import db
from config import Settings


@dataclass(frozen=True)
class Credentials:
    """Base URL, model and key of a provider. `repr` leaves the key out."""

    base_url: str
    model: str
    api_key: str | None

    def __repr__(self) -> str:
        return f"Credentials({self.base_url!r}, {self.model!r})"


def own_credentials(user_id: int) -> Credentials | None:
    """Return the credentials of the person's own provider; None if they have none.

    Raises:
        DecryptionError: the key was encrypted with a `SECRET_KEY` that is not in the settings any more.
    """
    provider = db.session.get(AiProvider, user_id, populate_existing=True)
    if provider is None:
        return None
    api_key = decrypt(provider.api_key_encrypted) if provider.api_key_encrypted else None
    return Credentials(provider.base_url, provider.model, api_key)


def server_credentials(settings: Settings) -> Credentials | None:
    """Return the credentials of the operator's provider; None if there is none."""
    if not settings.LLM_BASE_URL:
        return None
    return Credentials(settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_API_KEY.get_secret_value() or None)
