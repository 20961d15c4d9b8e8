"""Tables of people's own LLM providers, and of LLM usage."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class AiProvider(Base):
    """A person's own OpenAI-compatible endpoint. The key is a Fernet token (`backend/encryption.py`)."""

    __tablename__ = "ai_providers"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    base_url: Mapped[str]
    model: Mapped[str]
    api_key_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    api_key_hint: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LlmUsage(Base):
    """Usage of a person on a day (UTC), of the server's provider or of their own.

    `calls` counts those that the provider may charge for. `reserved_tokens` belong to running calls and expire at
    `reserved_until`, so that a dead worker leaves no reservation behind.
    """

    __tablename__ = "llm_usage"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    is_servers: Mapped[bool] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(server_default="0")
    prompt_tokens: Mapped[int] = mapped_column(server_default="0")
    completion_tokens: Mapped[int] = mapped_column(server_default="0")
    reserved_tokens: Mapped[int] = mapped_column(server_default="0")
    reserved_until: Mapped[datetime | None]
