"""Names of tags as linkding's clients write them, with a dash for each space: they part names at spaces."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ARRAY, Text, any_, func, literal, select

from backend.actor import Actor
from backend.bookmarks.models import Tag
from backend.bookmarks.names import tag_key
from backend.extensions import db


def dashed(name: str) -> str:
    """Write a name as linkding's clients are told it."""
    return name.replace(" ", "-")


def meant_names(actor: Actor, names: Sequence[str]) -> list[str]:
    """Put the tags that there are in the place of what clients write for them.

    One statement if a name has a dash, else none.
    """
    keys = [tag_key(name) for name in names if "-" in name]
    if not keys:
        return list(names)
    is_meant = func.replace(Tag.name_key, " ", "-") == any_(literal(keys, ARRAY(Text)))
    rows = db.session.execute(
        select(Tag.name, Tag.name_key)
        .where(Tag.organization_id == actor.organization_id, is_meant)
        # Of several that are written alike, the one with most dashes is what is written.
        .order_by(func.length(func.replace(Tag.name_key, "-", "")).desc(), Tag.id.desc())
    )
    known = {dashed(key): name for name, key in rows}
    return [known.get(tag_key(name), name) for name in names]
