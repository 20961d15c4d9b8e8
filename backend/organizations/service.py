"""Creation, change and deletion of organizations."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from backend.activity.log import record_activity_in
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.auth.events import record_event
from backend.auth.session_cache import invalidate_user
from backend.clock import utc_now
from backend.errors import Conflict, Invalid
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate_everything
from backend.jobs.queue import Message, send
from backend.jobs.rights import cancel_jobs_in
from backend.organizations.access import lock_owned, lock_person
from backend.organizations.models import Invitation, Membership, Organization
from backend.organizations.schemas import OrganizationIn, OrganizationOut, OrganizationPatch
from backend.text.normalisation import normalize

MIN_SLUG, READABLE_SLUG = 2, 40


def add_personal_organization(username: str) -> Organization:
    """Add the personal organization of a new person in the current transaction, flushed for its id."""
    organization = Organization(name=username, slug=unique_slug(username), personal=True)
    db.session.add(organization)
    db.session.flush()
    return organization


def add_owner(organization: Organization, user_id: int) -> None:
    """Make a person the owner, in the current transaction."""
    db.session.add(Membership(user_id=user_id, organization_id=organization.id, role="owner"))
    record_activity_in(organization.id, user_id, ActivityType.MEMBER_JOINED, user_id, role="owner")


def create_organization(actor: Actor, data: OrganizationIn) -> OrganizationOut:
    """Create an organization that the person owns.

    Raises:
        Unauthenticated: the account has just been deleted.
        Conflict: the requested slug is taken, or the person owns the maximum number of organizations.
    """
    lock_person(actor, alone=True)
    _refuse_too_many(actor)
    slugs = [data.slug] if data.slug else _slugs_from(data.name)
    organization = _insert_first_free(data.name, slugs)
    if organization is None:
        raise _taken(slugs[0])
    add_owner(organization, actor.user_id)
    record_activity_in(organization.id, actor.user_id, ActivityType.ORGANIZATION_CREATED, organization.id)
    db.session.commit()
    invalidate_user(actor.user_id)
    return OrganizationOut.of(organization, "owner")


def _refuse_too_many(actor: Actor) -> None:
    most = current_settings().MAX_ORGANIZATIONS_PER_OWNER
    owned = (
        select(func.count())
        .join_from(Membership, Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == actor.user_id, Membership.role == "owner", Organization.personal.is_(False))
    )
    count = db.session.scalar(owned) or 0
    if count >= most:
        raise Conflict(f"You own {count} organizations; {most} is the most. Delete one first.", limit=most)


def update_organization(actor: Actor, organization_id: int, patch: OrganizationPatch) -> OrganizationOut:
    """Change the name or slug of an organization.

    Raises:
        NotFound: the person does not belong to it, or it does not exist.
        Forbidden: they do not own it.
        Conflict: the slug is taken.
    """
    organization = lock_owned(actor, organization_id)
    for field in patch.model_fields_set:
        setattr(organization, field, getattr(patch, field))
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise _taken(patch.slug or "") from error
    record_activity_in(
        *(organization_id, actor.user_id, ActivityType.ORGANIZATION_UPDATED, organization_id),
        fields=sorted(patch.model_fields_set),
    )
    db.session.commit()
    invalidate_everything()  # Rare enough to invalidate all, instead of each member.
    return OrganizationOut.of(organization, "owner")


def delete_organization(actor: Actor, organization_id: int, name: str | None) -> None:
    """Delete an organization: it is invisible from now on; the worker deletes its rows.

    Raises:
        NotFound: the person does not belong to it, or it does not exist.
        Forbidden: they do not own it.
        Conflict: it is somebody's personal one.
        Invalid: the name is missing or wrong.
    """
    organization = lock_owned(actor, organization_id)
    if organization.personal:
        raise Conflict("A personal organization cannot be deleted; it goes with its account.")
    if name is None:
        raise Invalid.field("body.name", "Give the name of the organization, to show that it is meant.", "missing_name")
    if name != organization.name:
        raise Invalid.field("body.name", "This is not the name of the organization.", "name_mismatch")
    members = mark_deleted(organization)
    for user_id in members:
        detail = {"name": name, "by": actor.user_id}
        record_event(user_id, "organization_deleted", organization_id=organization_id, detail=detail)
    db.session.commit()
    invalidate_deleted(members)


def mark_deleted(organization: Organization) -> list[int]:
    """Mark a locked organization as deleted, in the current transaction; return its former members.

    Pass them to `invalidate_deleted` after the commit.
    """
    # Every access begins with a membership.
    deletion = delete(Membership).where(Membership.organization_id == organization.id).returning(Membership.user_id)
    members = list(db.session.scalars(deletion))
    cancel_jobs_in(organization.id)
    db.session.execute(delete(Invitation).where(Invitation.organization_id == organization.id))
    organization.deleted_at = utc_now()
    organization.slug = f"{organization.id}.deleted"  # No valid slug has a point; the old one is free.
    return members


def invalidate_deleted(members: Iterable[int]) -> None:
    """Invalidate the former members after the commit of `mark_deleted`, and wake the worker for the purge."""
    for user_id in members:
        invalidate_user(user_id)
    send([purge_message()])


def purge_message() -> Message:
    """Make the message that has a worker purge deleted organizations."""
    function = "organizations.purge_deleted_organizations"
    return Message(function, queue="bulk", timeout_seconds=600, once=True)


def unique_slug(name: str) -> str:
    """Make a slug from a name and a random suffix."""
    return f"{_readable_slug(name)}-{secrets.token_hex(4)}".lstrip("-")


def _readable_slug(name: str) -> str:
    """Make a slug from the ASCII letters of a name, without accents; empty if there are none."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:READABLE_SLUG].rstrip("-")


def _slugs_from(name: str) -> list[str]:
    readable = _readable_slug(name)
    return [readable, unique_slug(name)] if len(readable) >= MIN_SLUG else [unique_slug(name)]


def _insert_first_free(name: str, slugs: Iterable[str]) -> Organization | None:
    for slug in slugs:
        statement = insert(Organization).values(name=name, slug=slug).on_conflict_do_nothing().returning(Organization)
        organization: Organization | None = db.session.scalar(statement)
        if organization is not None:
            return organization
    return None


def _taken(slug: str) -> Conflict:
    return Conflict(f"The slug {slug} is already taken.")
