"""Bookmarks, their page texts, tags, counts and search documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import SPARSEVEC
from sqlalchemy import (
    REAL,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base

CAPTURE_STATUSES = ("pending", "captured", "failed", "skipped")
ORIGINS = "('nobody', 'page', 'import', 'person')"
LIVE = text("deleted_at IS NULL")
EMPTY = text("'{}/1000000000'")


def _ordered(name: str, *columns: str, where: str = "deleted_at IS NULL") -> Index:
    # Lists exclude archived bookmarks: with that column included, an index-only scan finds a page.
    return Index(
        name,
        "organization_id",
        *(text(column) for column in columns),
        postgresql_where=text(where),
        postgresql_include=["is_archived"],
    )


def _partial(name: str, condition: str) -> Index:
    # A selective filter needs a partial index. `condition` is in SQLAlchemy's form of the filter: PostgreSQL's planner
    # recognises no other.
    return _ordered(name, "created_at DESC", "id DESC", where=f"deleted_at IS NULL AND {condition}")


class Bookmark(Base):
    """A saved link. The page's text lives in `BookmarkContent`, so that lists never read it.

    `url_hash` is the SHA-256 of the normalised URL. `title_from` and `description_from` are origins, see
    `bookmarks/provenance.py`. A trigger maintains `is_tagged` from `BookmarkTag`; inserts with tags set it themselves,
    which saves an update. Another one sets `read_at` when an unread bookmark is marked as read: what came in as read
    has no such time. While `capture_status` is pending, `capture_due_at` is the time of the next attempt: a claim
    moves it past its lease and sets `capture_claimed_at`. `capture_priority` is 1 where a person waits for the page, 0
    for one of many. `capture_host` is the host whose limit counts where the URL redirects to another host.
    `embedding_due_at` is set while the bookmark waits for a vector, `document_due_at` while its search document waits
    for a refresh.
    """

    __tablename__ = "bookmarks"
    __table_args__ = (
        CheckConstraint("capture_status in ('pending', 'captured', 'failed', 'skipped')", name="capture_status"),
        CheckConstraint(f"title_from in {ORIGINS}", name="title_from"),
        CheckConstraint(f"description_from in {ORIGINS}", name="description_from"),
        Index(
            "uq_bookmarks_organization_id_url_hash",
            "organization_id",
            "url_hash",
            unique=True,
            postgresql_where=LIVE,
        ),
        _ordered("ix_bookmarks_created", "created_at DESC", "id DESC"),
        _ordered("ix_bookmarks_updated", "updated_at DESC", "id DESC"),
        _ordered("ix_bookmarks_title", "title_key", "id"),
        _ordered("ix_bookmarks_domain", "domain", "created_at DESC", "id DESC"),
        _partial("ix_bookmarks_inbox", "is_archived IS false"),
        _partial("ix_bookmarks_archived", "is_archived IS true"),
        _partial("ix_bookmarks_unread", "is_read IS false"),
        _partial("ix_bookmarks_read", "is_read IS true"),
        _partial("ix_bookmarks_favorite", "is_favorite IS true"),
        _partial("ix_bookmarks_untagged", "is_tagged IS false"),
        _partial("ix_bookmarks_broken", "capture_status = 'failed'"),
        Index(
            "ix_bookmarks_title_prefix",
            "organization_id",
            "title_key",
            postgresql_ops={"title_key": "text_pattern_ops"},
            postgresql_where=LIVE,
        ),
        # A count of what one person has read in a time needs nothing beside the index.
        Index(
            "ix_bookmarks_read_at",
            "organization_id",
            "read_at",
            postgresql_where=text("deleted_at IS NULL AND read_at IS NOT NULL"),
            postgresql_include=["user_id"],
        ),
        _ordered("ix_bookmarks_trash", "created_at DESC", "id DESC", where="deleted_at IS NOT NULL"),
        # Searches look a thousand matches up here: a hundred pages of an index, instead of a thousand rows.
        Index("ix_bookmarks_unsearched", "id", postgresql_where=text("deleted_at IS NOT NULL OR is_archived")),
        Index("ix_bookmarks_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_bookmarks_capture_due", "capture_due_at", postgresql_where=text("capture_status = 'pending'")),
        # In the order of the skip scan of `capture/turns.sql`: person, priority, host.
        Index(
            "ix_bookmarks_capture_turns",
            text("(COALESCE(user_id, - organization_id))"),
            text("capture_priority DESC"),
            text("(COALESCE(capture_host, domain))"),
            "capture_due_at",
            postgresql_where=text("capture_status = 'pending' AND deleted_at IS NULL"),
        ),
        Index(
            "ix_bookmarks_capture_backlog",
            "organization_id",
            "capture_due_at",
            postgresql_where=text("capture_status = 'pending' AND deleted_at IS NULL"),
        ),
        Index(
            "ix_bookmarks_capture_claimed",
            "capture_claimed_at",
            postgresql_where=text("capture_claimed_at IS NOT NULL"),
        ),
        # In the order of the skip scan of `index/embeddings.py`.
        Index(
            "ix_bookmarks_embedding_turns",
            "organization_id",
            "embedding_due_at",
            postgresql_where=text("embedding_due_at IS NOT NULL"),
        ),
        Index("ix_bookmarks_document_due", "document_due_at", postgresql_where=text("document_due_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    url: Mapped[str]
    url_hash: Mapped[bytes] = mapped_column(LargeBinary)
    domain: Mapped[str]
    title: Mapped[str] = mapped_column(server_default="")
    title_key: Mapped[str] = mapped_column(server_default="")
    title_from: Mapped[str] = mapped_column(server_default="nobody")
    description: Mapped[str] = mapped_column(server_default="")
    description_from: Mapped[str] = mapped_column(server_default="nobody")
    notes: Mapped[str] = mapped_column(server_default="")
    site_name: Mapped[str | None]
    author: Mapped[str | None]
    published_at: Mapped[datetime | None]
    image_url: Mapped[str | None]
    language: Mapped[str | None]
    word_count: Mapped[int | None]
    is_read: Mapped[bool] = mapped_column(server_default=text("false"))
    is_favorite: Mapped[bool] = mapped_column(server_default=text("false"))
    is_archived: Mapped[bool] = mapped_column(server_default=text("false"))
    is_tagged: Mapped[bool] = mapped_column(server_default=text("false"))
    read_at: Mapped[datetime | None]
    capture_status: Mapped[str]
    capture_error: Mapped[str | None]
    capture_attempts: Mapped[int] = mapped_column(server_default="0")
    capture_due_at: Mapped[datetime | None]
    capture_priority: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    capture_host: Mapped[str | None]
    capture_claimed_at: Mapped[datetime | None]
    captured_at: Mapped[datetime | None]
    embedding_due_at: Mapped[datetime | None]
    document_due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]


class BookmarkContent(Base):
    """The captured page: plain text and its tsvector for search, sanitised HTML for reading."""

    __tablename__ = "bookmark_contents"

    bookmark_id: Mapped[int] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str] = mapped_column(server_default="")
    byline: Mapped[str | None]
    text: Mapped[str]
    html: Mapped[str]
    word_count: Mapped[int]
    vector: Mapped[Any] = mapped_column(TSVECTOR, deferred=True)
    impacts: Mapped[Any] = mapped_column(SPARSEVEC(1_000_000_000), server_default=EMPTY, deferred=True)
    length: Mapped[int] = mapped_column(server_default="0")
    average: Mapped[float] = mapped_column(REAL, server_default="0")
    captured_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Tag(Base):
    """A label of an organization. `name_key` is its case-folded form, which is unique."""

    __tablename__ = "tags"
    __table_args__ = (
        Index("uq_tags_organization_id_name_key", "organization_id", "name_key", unique=True),
        Index("ix_tags_prefix", "organization_id", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BookmarkTag(Base):
    """A tag on a bookmark; `position` is its rank in the person's order."""

    __tablename__ = "bookmark_tags"
    __table_args__ = (Index("ix_bookmark_tags_tag_id_bookmark_id", "tag_id", "bookmark_id"),)

    bookmark_id: Mapped[int] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, server_default="0")


class BookmarkCount(Base):
    """A change to the number of bookmarks of one kind in an organization: the sum over the rows is the number.

    Triggers append a row with each change (`migrations/versions/0013_kept_counts.py`), in its transaction: writers do
    not block one another, and a reader's sum agrees with the bookmarks it sees. A job folds rows of one kind into one.
    """

    __tablename__ = "bookmark_counts"

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    is_deleted: Mapped[bool]
    is_archived: Mapped[bool]
    is_read: Mapped[bool]
    is_favorite: Mapped[bool]
    is_tagged: Mapped[bool]
    capture_status: Mapped[str]
    bookmarks: Mapped[int]


class TagCount(Base):
    """A change to the number of bookmarks outside the trash that carry a tag, maintained like `BookmarkCount`."""

    __tablename__ = "tag_counts"

    id: Mapped[int] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), index=True)
    is_archived: Mapped[bool]
    bookmarks: Mapped[int]


class BookmarkDocument(Base):
    """The search document of a bookmark: its lexemes with positions as a tsvector (title and tags A, description B,
    notes and address C, page text D) and their impacts (`index/impacts.py`).

    `length` counts the significant terms of the fields, `average` is the mean length used for the impacts, `language`
    is that of the fields, if it is known.
    """

    __tablename__ = "bookmark_documents"
    __table_args__ = (
        # Without fastupdate's pending list, which every search would have to scan.
        Index(
            "ix_bookmark_documents_document",
            "document",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
        Index("ix_bookmark_documents_organization_id_written_at", "organization_id", "written_at"),
    )

    bookmark_id: Mapped[int] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    document: Mapped[Any] = mapped_column(TSVECTOR)
    impacts: Mapped[Any] = mapped_column(SPARSEVEC(1_000_000_000), server_default=EMPTY)
    page_impacts: Mapped[Any | None] = mapped_column(SPARSEVEC(1_000_000_000))
    length: Mapped[float] = mapped_column(REAL, server_default="0")
    average: Mapped[float] = mapped_column(REAL, server_default="0")
    language: Mapped[str | None]
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())
