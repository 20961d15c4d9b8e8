"""Corpus statistics of organizations, and vectors of bookmarks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ARRAY, REAL, BigInteger, ForeignKey, Index, Integer, func, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class SearchStatistics(Base):
    """Corpus statistics of an organization, counted by the worker (`index/statistics.py`). Averages are lengths in
    significant terms, `averages` those of documents by language, where there are enough; `languages` are the numbers of
    documents by language, where it is known; `terms` is the number of rows in `search_terms`, 0 for small
    organizations. Documents carry the
    `generation` of their writing as a label; `search_terms` exclude documents written from `counted_generation` on."""

    __tablename__ = "search_statistics"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    documents: Mapped[int]
    languages: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'"))
    pages: Mapped[int]
    terms: Mapped[int]
    generation: Mapped[int] = mapped_column(server_default="0")
    counted_generation: Mapped[int] = mapped_column(server_default="0")
    average: Mapped[float] = mapped_column(REAL)
    averages: Mapped[dict[str, float]] = mapped_column(JSONB, server_default=text("'{}'"))
    page_average: Mapped[float] = mapped_column(REAL)
    counted_at: Mapped[datetime]


class SearchTerm(Base):
    """The document frequency of a term, named by `term_id`, in an organization; for a common term also its champion
    list: the bookmarks with its highest impacts, and these impacts."""

    __tablename__ = "search_terms"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    term: Mapped[int] = mapped_column(Integer, primary_key=True)
    documents: Mapped[int] = mapped_column(Integer)
    champions: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    champion_impacts: Mapped[list[float] | None] = mapped_column(ARRAY(REAL))


class SearchLanguage(Base):
    """A language with stems of its own among an organization's bookmarks, by its primary tag."""

    __tablename__ = "search_languages"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)


class BookmarkEmbedding(Base):
    """The vector of a bookmark under one model; vectors of two models coexist while one replaces the other.

    Numbers have half precision and stay in the row (storage MAIN). Each dimension in use has an HNSW index: the shipped
    model's is declared here, others are built on first use.
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
