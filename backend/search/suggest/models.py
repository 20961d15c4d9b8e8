"""What suggestions are looked up in: things that can be suggested, and the words they hold."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base

KINDS = "kind in ('tag', 'title', 'domain')"


class SuggestionWord(Base):
    """A folded word that things of one kind hold in one organization. The worker keeps these up to date.

    `uses` says how many hold it, about. `near` are hashes of the beginning of the word and of what is left of it
    without one of its letters: two words that differ by one typing error have one in common. Ids belong to one
    organization and kind, so that an index over them needs neither.
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
    """A tag, a bookmark's title or a domain as it was when the worker last came by.

    `rank` orders within a kind: microseconds since 1970 of when a title was saved, bookmarks of a tag or domain.
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
    """How far the worker has come in an organization: `changed` counts bookmarks since uses were last counted."""

    __tablename__ = "suggestion_states"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    refreshed_to: Mapped[datetime]
    changed: Mapped[int] = mapped_column(server_default="0")
