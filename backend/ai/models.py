"""People's own LLM providers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class AiProvider(Base):
    """The OpenAI-compatible endpoint that a person has chosen. The key is a Fernet token (`backend/encryption.py`)."""

    __tablename__ = "ai_providers"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    base_url: Mapped[str]
    model: Mapped[str]
    api_key_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    api_key_hint: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
