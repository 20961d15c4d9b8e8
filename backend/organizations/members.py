"""Members of an organization and their roles. It always has an owner."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update

from backend.activity.log import record_activity_in
from backend.activity.types import ActivityType
from backend.actor import Actor, Role
from backend.auth.events import record_event
from backend.auth.session_cache import invalidate_user
from backend.errors import Conflict
from backend.extensions import db
from backend.http.idempotency.service import delete_responses
from backend.http.response_cache.invalidation import invalidate_lists
from backend.jobs.rights import cancel_jobs_of
from backend.organizations.access import lock_organization, lock_owned, require_owner
from backend.organizations.invitations import withdraw_invitations_of
from backend.organizations.models import Membership
from backend.organizations.queries import get_member
from backend.organizations.schemas import MemberOut


def change_role(actor: Actor, organization_id: int, user_id: int, role: Role) -> MemberOut:
    """Change the role of a member.

    Raises:
        NotFound: the person, or the member, does not belong to the organization.
        Forbidden: the person does not own it.
        Conflict: the organization would lose its last owner.
    """
    lock_owned(actor, organization_id)
    member = get_member(organization_id, user_id)
    if member.role == role:
        return member
    _demote_owner(organization_id, member)
    db.session.execute(update(Membership).where(*_is_member(organization_id, user_id)).values(role=role))
    cancel_jobs_of(user_id, organization_id, role)
    delete_responses(user_id, f"/api/v1/organizations/{organization_id}")
    detail = {"role": role, "former_role": member.role, "by": actor.user_id}
    record_event(user_id, "role_changed", organization_id=organization_id, detail=detail)
    record_activity_in(organization_id, actor.user_id, ActivityType.MEMBER_ROLE_CHANGED, user_id, role=role)
    db.session.commit()
    invalidate_user(user_id)
    invalidate_lists(organization_id)
    return member.model_copy(update={"role": role})


def remove_member(actor: Actor, organization_id: int, user_id: int) -> None:
    """Remove a member from the organization; everybody may leave.

    Raises:
        NotFound: the person, or the member, does not belong to the organization.
        Forbidden: the person does not own it, and is not the member.
        Conflict: the organization would lose its last owner, or is a personal one.
    """
    organization = lock_organization(actor, organization_id)
    if user_id != actor.user_id:
        require_owner(actor, organization_id)
    member = get_member(organization_id, user_id)
    if organization.personal:
        raise Conflict("Nobody leaves a personal organization; it goes with its account.")
    _demote_owner(organization_id, member)
    membership = delete(Membership).where(*_is_member(organization_id, user_id)).returning(Membership.created_at)
    since = db.session.scalar(membership)
    cancel_jobs_of(user_id, organization_id)
    delete_responses(user_id, f"/api/v1/organizations/{organization_id}")
    detail = {"role": member.role, "by": actor.user_id}
    record_event(user_id, "member_removed", organization_id=organization_id, detail=detail)
    record_left(organization_id, actor.user_id, user_id, since)
    db.session.commit()
    invalidate_user(user_id)
    invalidate_lists(organization_id)


def record_left(organization_id: int, by: int, user_id: int, since: datetime | None) -> None:
    """Record in the current transaction that a person is no member any more, by whom, and since when they were."""
    moment = since.isoformat() if since else None
    record_activity_in(organization_id, by, ActivityType.MEMBER_LEFT, user_id, member_since=moment)


def _demote_owner(organization_id: int, member: MemberOut) -> None:
    """Withdraw the open invitations of an owner who loses the role; refuse for the last owner."""
    if member.role != "owner":
        return
    owners = Membership.organization_id == organization_id, Membership.role == "owner"
    if db.session.scalar(select(func.count()).select_from(Membership).where(*owners)) == 1:
        raise Conflict("This is the last owner of the organization. Make somebody else an owner first.")
    withdraw_invitations_of(member.user_id, organization_id)


def _is_member(organization_id: int, user_id: int) -> list[ColumnElement[bool]]:
    return [Membership.organization_id == organization_id, Membership.user_id == user_id]
