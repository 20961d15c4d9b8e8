"""Projects by their names, which need not be unique: the oldest of a name stands for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ARRAY, Text, any_, func, literal, select, text

from backend.actor import Actor
from backend.extensions import db
from backend.projects import queries
from backend.projects.models import Project
from backend.text.sort_keys import searchable_text, sort_key

# Where an organization has so many, names that are not found make no more.
MOST_PROJECTS = 2_000
# Two that look for the same new name at the same time would both make it.
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('projects.naming'), CAST(:organization_id % 2147483647 AS integer))")


def projects_named(actor: Actor, names: Sequence[str]) -> dict[str, int]:
    """Find projects outside the trash by name, ignoring case, and make those that there are none of, in the
    current transaction; their ids by name. A name is missing where there is no room for more projects.

    At most five statements, none without names.
    """
    if not names:
        return {}
    found = _find(actor, names)
    if len(found) < len(names):
        db.session.execute(LOCK, {"organization_id": actor.organization_id})
        found = _find(actor, names)
        _make(actor, [name for name in names if name not in found])
        found = _find(actor, names)
    return found


def _find(actor: Actor, names: Sequence[str]) -> dict[str, int]:
    keys = {sort_key(name) for name in names}
    one_of = Project.name_key == any_(literal(sorted(keys), ARRAY(Text)))
    rows = db.session.execute(
        select(Project.name_key, func.min(Project.id))
        .where(queries.not_trashed(actor), one_of)
        .group_by(Project.name_key)
    )
    ids = {row[0]: row[1] for row in rows}
    return {name: ids[sort_key(name)] for name in names if sort_key(name) in ids}


def _make(actor: Actor, names: Sequence[str]) -> None:
    there = db.session.scalar(
        select(func.count()).select_from(
            select(Project.id).where(queries.not_trashed(actor)).limit(MOST_PROJECTS).subquery()
        )
    )
    new = {sort_key(name): name for name in reversed(names)}
    for key, name in list(reversed(new.items()))[: MOST_PROJECTS - (there or 0)]:
        whose = {"organization_id": actor.organization_id, "user_id": actor.user_id}
        db.session.add(Project(**whose, name=name, name_key=key, words=searchable_text(name, "")))
    db.session.flush()
