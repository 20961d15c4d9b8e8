"""Tables of accounts: users, sessions, API tokens, mailed tokens, security events."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class User(Base):
    """Person with an account. `email_key` and `username_key` are the folded forms that logins and uniqueness compare.

    Since `disabled_at` the person may not act. Since `deleted_at` the account is deleted, name and address are free,
    and the row stays only until a worker has removed all that belonged to it.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role in ('user', 'admin')", name="role"),
        CheckConstraint("week_start in ('monday', 'sunday', 'saturday')", name="week_start"),
        CheckConstraint("language in ('en', 'de')", name="language"),
        Index("ix_users_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_users_digest_due", "digest_due_at", postgresql_where=text("digest_due_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    email_verified_at: Mapped[datetime | None]
    role: Mapped[str] = mapped_column(default="user")
    # A name of the IANA time zone database; `auth/preferences.py` reads it.
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    week_start: Mapped[str] = mapped_column(server_default="monday")
    # Of mails that no request causes; one of `mail/languages.py`.
    language: Mapped[str | None]
    # When the next digest is due; null: none is wanted. A claim moves it past its lease.
    digest_due_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    personal_organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id", ondelete="RESTRICT"), unique=True
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def digest(self) -> bool:
        """Whether the person wants digests."""
        return self.digest_due_at is not None


class Session(Base):
    """Login of a person. Its refresh token rotates at each use: the row holds the SHA-256 of the newest, its number
    (`generation`) and time, and the times of the last rotations within the grace period."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    refresh_token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    generation: Mapped[int] = mapped_column(server_default="0")
    rotated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recent_rotations: Mapped[list[datetime]] = mapped_column(
        ARRAY(DateTime(timezone=True)), server_default=text("'{}'")
    )
    user_agent: Mapped[str]
    ip: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]


class ApiToken(Base):
    """API token, stored as its SHA-256; `prefix` is its beginning, to recognise it by."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index("ix_api_tokens_user_id_created_at_id", "user_id", text("created_at DESC"), text("id DESC")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    prefix: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Registration(Base):
    """Record of a registration from an address (`address_digest`), for a day. It outlives the account: deleting one
    does not free a registration.
    """

    __tablename__ = "registrations"
    __table_args__ = (Index("ix_registrations_address_created_at", "address", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class MailToken(Base):
    """Mailed single-use token, stored as its SHA-256.

    `email` is the folded address that it went to: it is invalid once the person has another.
    """

    __tablename__ = "mail_tokens"
    __table_args__ = (
        CheckConstraint("purpose in ('verify', 'reset')", name="purpose"),
        Index("ix_mail_tokens_user_id_purpose_created_at", "user_id", "purpose", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SecurityEvent(Base):
    """Entry of the audit trail (R-LOG 6). `detail` never holds a secret."""

    __tablename__ = "security_events"
    __table_args__ = (
        Index("ix_security_events_user_id_created_at_id", "user_id", text("created_at DESC"), text("id DESC")),
        Index("ix_security_events_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"), index=True)
    kind: Mapped[str]
    ip: Mapped[str] = mapped_column(server_default="")
    user_agent: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
