"""Reading tags in linkding's shape."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select

from backend.actor import Actor
from backend.bookmarks.models import Tag
from backend.errors import NotFound
from backend.extensions import db
from backend.linkding.pages import ListPart, OffsetRange, fitting
from backend.linkding.tags.names import dashed
from backend.linkding.tags.schemas import LinkdingTagOut


def list_tags(actor: Actor, window: OffsetRange) -> ListPart[LinkdingTagOut]:
    """Read the tags in a window, oldest first. Two statements."""
    statement = select(Tag).where(mine(actor)).order_by(Tag.id)
    rows = db.session.scalars(statement.limit(window.rows).offset(window.offset)).all()
    count = db.session.scalar(select(func.count(Tag.id)).where(mine(actor))) or 0
    return ListPart(fitting(map(tag_out, rows)), count, window)


def get_tag(actor: Actor, tag_id: int) -> LinkdingTagOut:
    """Read the tag, if it is the organization's.

    Raises:
        NotFound: it is not, or never was.
    """
    tag = db.session.scalar(select(Tag).where(mine(actor), Tag.id == tag_id))
    if tag is None:
        raise NotFound
    return tag_out(tag)


def mine(actor: Actor) -> ColumnElement[bool]:
    """Select tags of the actor's organization."""
    return Tag.organization_id == actor.organization_id


def tag_out(row: Tag) -> LinkdingTagOut:
    """Put a tag into linkding's shape."""
    return LinkdingTagOut(id=row.id, name=dashed(row.name), date_added=row.created_at)
