"""Tables of organizations, memberships and invitations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, case, func, text
from sqlalchemy.orm import Mapped, column_property, mapped_column

from backend.extensions import Base


class Organization(Base):
    """Tenant. Every person has a personal one; teams share others.

    With `deleted_at` it has no members, so nobody can see it; the worker deletes its rows.
    """

    __tablename__ = "organizations"
    __table_args__ = (
        Index("uq_organizations_slug", text("lower(slug)"), unique=True),
        Index("ix_organizations_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column()
    slug: Mapped[str]
    personal: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]

    # Sort key in a person's list: the personal one first, the others by name.
    place: Mapped[str] = column_property(case((personal, "0"), else_="1").concat(func.lower(name)), deferred=True)


class Membership(Base):
    """Membership of a person in an organization, with a role."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint("role in ('owner', 'editor', 'viewer')", name="role"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Invitation(Base):
    """Invitation of a mail address: the newest for each address. The token is stored as its SHA-256.

    `email_key` is the folded address, as in `users`. Used ones stay a while, to be reported as used. An invitation is
    valid only while `invited_by` owns the organization.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'editor', 'viewer')", name="role"),
        Index("uq_invitations_organization_id_email_key", "organization_id", "email_key", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    email: Mapped[str]
    email_key: Mapped[str]
    role: Mapped[str]
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
