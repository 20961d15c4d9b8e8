"""Making tags for linkding's clients."""

from __future__ import annotations

from backend.actor import Actor
from backend.bookmarks.tags.assignment import find_or_create_tags
from backend.database import again_after_lost_race
from backend.extensions import db
from backend.linkding.tags.names import meant_names
from backend.linkding.tags.queries import get_tag
from backend.linkding.tags.schemas import LinkdingTagOut


@again_after_lost_race
def add_tag(actor: Actor, name: str) -> LinkdingTagOut:
    """Make a tag; the one that there is, if its name is taken in any case of letters.

    Raises:
        TooManyTags: the organization has as many as it may have.
    """
    [tag_id] = find_or_create_tags(actor, meant_names(actor, [name])).values()
    tag = get_tag(actor, tag_id)
    db.session.commit()
    return tag
