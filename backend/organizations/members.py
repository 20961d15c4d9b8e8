"""Who belongs to an organization, and in which role. It always has an owner."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, func, select, update

from backend.actor import Actor, Role
from backend.auth.events import record_event
from backend.auth.session_cache import forget_user
from backend.errors import Conflict
from backend.extensions import db
from backend.http.idempotency.service import delete_responses
from backend.jobs.rights import cancel_jobs_of
from backend.organizations.access import lock_organization, lock_owned, require_owner
from backend.organizations.invitations import withdraw_all_of
from backend.organizations.models import Membership
from backend.organizations.queries import get_member
from backend.organizations.schemas import MemberOut


def change_role(actor: Actor, organization_id: int, user_id: int, role: Role) -> MemberOut:
    """Give a member another role.

    Raises:
        NotFound: the person, or the member, does not belong to the organization.
        Forbidden: the person does not own it.
        Conflict: nobody would own it any more.
    """
    lock_owned(actor, organization_id)
    member = get_member(organization_id, user_id)
    if member.role == role:
        return member
    _unseat_owner(organization_id, member)
    db.session.execute(update(Membership).where(*_place(organization_id, user_id)).values(role=role))
    cancel_jobs_of(user_id, organization_id, role)
    delete_responses(user_id, f"/api/v1/organizations/{organization_id}")
    detail = {"role": role, "former_role": member.role, "by": actor.user_id}
    record_event(user_id, "role_changed", organization_id=organization_id, detail=detail)
    db.session.commit()
    forget_user(user_id)
    return member.model_copy(update={"role": role})


def remove_member(actor: Actor, organization_id: int, user_id: int) -> None:
    """Take a member out of the organization; everybody may take out themself.

    Raises:
        NotFound: the person, or the member, does not belong to the organization.
        Forbidden: the person does not own it, and it is not they who leave.
        Conflict: nobody would own it any more, or it is a personal one.
    """
    organization = lock_organization(actor, organization_id)
    if user_id != actor.user_id:
        require_owner(actor, organization_id)
    member = get_member(organization_id, user_id)
    if organization.personal:
        raise Conflict("Nobody leaves a personal organization; it goes with its account.")
    _unseat_owner(organization_id, member)
    db.session.execute(delete(Membership).where(*_place(organization_id, user_id)))
    cancel_jobs_of(user_id, organization_id)
    delete_responses(user_id, f"/api/v1/organizations/{organization_id}")
    detail = {"role": member.role, "by": actor.user_id}
    record_event(user_id, "member_removed", organization_id=organization_id, detail=detail)
    db.session.commit()
    forget_user(user_id)


def _unseat_owner(organization_id: int, member: MemberOut) -> None:
    """Of who is an owner no more, the open invitations end; the last one stays."""
    if member.role != "owner":
        return
    owners = Membership.organization_id == organization_id, Membership.role == "owner"
    if db.session.scalar(select(func.count()).select_from(Membership).where(*owners)) == 1:
        raise Conflict("This is the last owner of the organization. Make somebody else an owner first.")
    withdraw_all_of(member.user_id, organization_id)


def _place(organization_id: int, user_id: int) -> list[ColumnElement[bool]]:
    return [Membership.organization_id == organization_id, Membership.user_id == user_id]
