"""Bookmarks, their page texts, tags, search documents and embeddings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import HALFVEC, SPARSEVEC
from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    func,
    literal_column,
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
    # Lists leave archived bookmarks out: with that column in the index, looking for a page reads nothing else.
    return Index(
        name,
        "organization_id",
        *(text(column) for column in columns),
        postgresql_where=text(where),
        postgresql_include=["is_archived"],
    )


def _only(name: str, which: str) -> Index:
    # For what few of many bookmarks may pass: a page must not look through all others. `which` is written as SQLAlchemy
    # writes the filter: PostgreSQL would not recognise another form.
    return _ordered(name, "created_at DESC", "id DESC", where=f"deleted_at IS NULL AND {which}")


class Bookmark(Base):
    """A saved link. The page's text lives in `BookmarkContent`, so that lists never read it.

    `url_hash` is the SHA-256 of the normalised URL. `title_from` and `description_from` say where these came from, see
    `bookmarks/provenance.py`. `is_tagged` follows `BookmarkTag` by a trigger; who saves a link
    with tags sets it beforehand, which saves work. While `capture_status` is pending, `capture_due_at` is when the next
    try may start: a worker that takes the capture moves it past its lease, and sets `capture_claimed_at` while it
    reads. `capture_priority` is 1 where a person waits for this page, 0 for one of many. `capture_host` is whose turns
    count where the address leads to another host than its own. `embedding_due_at` is set while the bookmark waits for a
    vector, `document_due_at` while it waits for a worker to refresh its search document.
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
        _only("ix_bookmarks_inbox", "is_archived IS false"),
        _only("ix_bookmarks_archived", "is_archived IS true"),
        _only("ix_bookmarks_unread", "is_read IS false"),
        _only("ix_bookmarks_read", "is_read IS true"),
        _only("ix_bookmarks_favorite", "is_favorite IS true"),
        _only("ix_bookmarks_untagged", "is_tagged IS false"),
        _only("ix_bookmarks_broken", "capture_status = 'failed'"),
        Index(
            "ix_bookmarks_title_prefix",
            "organization_id",
            "title_key",
            postgresql_ops={"title_key": "text_pattern_ops"},
            postgresql_where=LIVE,
        ),
        _ordered("ix_bookmarks_trash", "created_at DESC", "id DESC", where="deleted_at IS NOT NULL"),
        Index("ix_bookmarks_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_bookmarks_capture_due", "capture_due_at", postgresql_where=text("capture_status = 'pending'")),
        # As `capture/turns.sql` walks through what waits: person after person, urgent first, host after host.
        Index(
            "ix_bookmarks_capture_turns",
            text("(COALESCE(user_id, - organization_id))"),
            text("capture_priority DESC"),
            text("(COALESCE(capture_host, domain))"),
            "capture_due_at",
            postgresql_where=text("capture_status = 'pending' AND deleted_at IS NULL"),
        ),
        Index(
            "ix_bookmarks_capture_claimed",
            "capture_claimed_at",
            postgresql_where=text("capture_claimed_at IS NOT NULL"),
        ),
        Index(
            "ix_bookmarks_embedding_due",
            "embedding_due_at",
            postgresql_where=text("embedding_due_at IS NOT NULL"),
        ),
        Index("ix_bookmarks_document_due", "document_due_at", postgresql_where=text("document_due_at IS NOT NULL")),
        Index(
            "ix_bookmarks_embedding_waiting",
            "organization_id",
            postgresql_where=text("embedding_due_at IS NOT NULL"),
        ),
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
    """What a capture read: plain text and its tsvector for search, sanitised HTML for reading."""

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
    """A label of an organization. `name_key` is its case-folded form, by which names are unique."""

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
    """A tag on a bookmark; `position` keeps the order in which the person gave them."""

    __tablename__ = "bookmark_tags"
    __table_args__ = (Index("ix_bookmark_tags_tag_id_bookmark_id", "tag_id", "bookmark_id"),)

    bookmark_id: Mapped[int] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, server_default="0")


class BookmarkCount(Base):
    """So many more (or fewer) bookmarks of this kind in an organization: the sum over the rows is how many there are.

    Triggers append a row with each change (`migrations/versions/0013_kept_counts.py`), in its transaction, so that no
    two writers wait for one another and every reader's sum is that of the bookmarks they see; now and then rows that
    are alike are folded into one.
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
    """So many more (or fewer) bookmarks outside the trash carry a tag: kept like `BookmarkCount`."""

    __tablename__ = "tag_counts"

    id: Mapped[int] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), index=True)
    is_archived: Mapped[bool]
    bookmarks: Mapped[int]


class BookmarkDocument(Base):
    """What a bookmark is found by: its words with their places as a tsvector, title and tags A, description B, notes
    and address C, page text D, and what they weigh (`bookmarks/fulltext/impacts.py`).

    `length` counts the telling words of the fields, `average` is what it was held against.
    """

    __tablename__ = "bookmark_documents"
    __table_args__ = (
        # Without a list of what is still to be put in, which every search would have to read.
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
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SearchStatistics(Base):
    """What ranking knows of an organization's bookmarks as a whole: counted by the worker, see
    `bookmarks/fulltext/statistics.py`. Averages are of lengths in telling words; `terms` is how many rows of
    `search_terms` there are, none for small organizations. Documents carry the `generation` in which they were written
    as a label; `search_terms` leave out what was written from `counted_generation` on."""

    __tablename__ = "search_statistics"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    documents: Mapped[int]
    pages: Mapped[int]
    terms: Mapped[int]
    generation: Mapped[int] = mapped_column(server_default="0")
    counted_generation: Mapped[int] = mapped_column(server_default="0")
    average: Mapped[float] = mapped_column(REAL)
    page_average: Mapped[float] = mapped_column(REAL)
    counted_at: Mapped[datetime]


class SearchTerm(Base):
    """How many documents of an organization hold a term, named by `term_id`; of a common one also the bookmarks in
    which it weighs most, and what it weighs in each of them."""

    __tablename__ = "search_terms"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    term: Mapped[int] = mapped_column(Integer, primary_key=True)
    documents: Mapped[int] = mapped_column(Integer)
    champions: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    champion_impacts: Mapped[list[float] | None] = mapped_column(ARRAY(REAL))


class SearchLanguage(Base):
    """A language with stems of its own that an organization has bookmarks in, by its primary tag."""

    __tablename__ = "search_languages"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)


class BookmarkEmbedding(Base):
    """The vector of a bookmark under one model; two models' vectors live side by side while one takes over.

    Numbers have half precision, and stay in the row (storage MAIN). Each dimension in use has an index of nearest
    neighbours of its own: that of the shipped model stands here, others are made when they are first needed.
    """

    __tablename__ = "bookmark_embeddings"
    __table_args__ = (
        Index("ix_bookmark_embeddings_organization_id_model", "organization_id", "model"),
        Index(
            "ix_bookmark_embeddings_nearest_384",
            literal_column("(embedding::halfvec(384))").label("vectors"),
            postgresql_using="hnsw",
            postgresql_ops={"vectors": "halfvec_cosine_ops"},
            postgresql_with={"m": 16, "ef_construction": 64},
            postgresql_where=text("dimension = 384"),
        ),
    )

    bookmark_id: Mapped[int] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    dimension: Mapped[int]
    embedding: Mapped[Any] = mapped_column(HALFVEC())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
