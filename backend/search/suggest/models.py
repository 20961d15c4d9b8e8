"""Tables of suggestions, and of the words in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base

KINDS = "kind in ('tag', 'title', 'domain')"


class SuggestionWord(Base):
    """A folded word in suggestions of one kind and organization, made by the worker.

    `uses` approximates the number of suggestions with it. `near` holds hashes of the word's prefix and of that prefix
    without each of its letters: two words with an edit distance of 1 share a hash. Ids belong to one organization and
    kind, so that an index over them needs neither column.
    """

    __tablename__ = "suggestion_words"
    __table_args__ = (
        CheckConstraint(KINDS, name="kind"),
        Index(
            "uq_suggestion_words_organization_id_kind_word",
            "organization_id",
            "kind",
            "word",
            unique=True,
            postgresql_ops={"word": "text_pattern_ops"},
        ),
        Index("ix_suggestion_words_letter", "organization_id", "kind", text("left(word, 1)"), text("uses DESC")),
        Index(
            "ix_suggestion_words_near",
            "near",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    kind: Mapped[str]
    word: Mapped[str]
    uses: Mapped[int] = mapped_column(server_default="0")
    near: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class Suggestion(Base):
    """A tag, title or domain that can be suggested, as of the worker's last refresh.

    `rank` orders a kind: for titles microseconds since 1970 of the bookmark's creation, else the number of bookmarks.
    """

    __tablename__ = "suggestions"
    __table_args__ = (
        CheckConstraint(KINDS, name="kind"),
        Index("uq_suggestions_bookmark_id", "bookmark_id", unique=True),
        Index("uq_suggestions_tag_id", "tag_id", unique=True),
        Index(
            "uq_suggestions_domain",
            "organization_id",
            "value",
            unique=True,
            postgresql_where=text("kind = 'domain'"),
        ),
        Index("ix_suggestions_rank", "organization_id", "kind", text("rank DESC"), text("id DESC")),
        Index(
            "ix_suggestions_word_ids",
            "word_ids",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    kind: Mapped[str]
    value: Mapped[str]
    rank: Mapped[int]
    bookmark_id: Mapped[int | None] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"))
    tag_id: Mapped[int | None] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"))
    word_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class SuggestionState(Base):
    """Progress of the refresh in an organization: `changed` counts bookmarks since the last recount of uses."""

    __tablename__ = "suggestion_states"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    refreshed_to: Mapped[datetime]
    changed: Mapped[int] = mapped_column(server_default="0")
