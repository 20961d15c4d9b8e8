"""Queries of organizations, their members and open invitations."""

from __future__ import annotations

from sqlalchemy import func, select

from backend.actor import Actor
from backend.auth.memberships import is_member, own_memberships
from backend.auth.models import User
from backend.errors import NotFound
from backend.extensions import db
from backend.http.pagination import Sort, page_of, paginate
from backend.organizations.access import require_owner
from backend.organizations.models import Invitation, Membership, Organization
from backend.organizations.schemas import (
    InvitationListQuery,
    InvitationOut,
    InvitationPage,
    MemberListQuery,
    MemberOut,
    MemberPage,
    OrganizationListQuery,
    OrganizationOut,
    OrganizationPage,
)

SELECT_ORGANIZATIONS = select(
    *Organization.__table__.columns, Organization.place.label("place"), Membership.role
).join_from(Organization, Membership, Membership.organization_id == Organization.id)
SELECT_MEMBERS = select(
    Membership.user_id,
    User.username,
    User.email,
    Membership.role,
    Membership.created_at,
    Membership.created_at.label("joined_at"),
).join_from(Membership, User, User.id == Membership.user_id)


def list_organizations(actor: Actor, query: OrganizationListQuery) -> OrganizationPage:
    """List the organizations of the person, the personal one first, then by name."""
    conditions = [Membership.organization_id == Organization.id, *own_memberships(actor)]
    shape = SELECT_ORGANIZATIONS.where(*own_memberships(actor))
    page = paginate(conditions, shape, Sort("place", Organization.place, Organization.id), query)
    return page_of(OrganizationPage, page, [OrganizationOut.model_validate(row) for row in page.rows])


def get_organization(actor: Actor, organization_id: int) -> OrganizationOut:
    """Read an organization of the person.

    Raises:
        NotFound: they do not belong to it, or it does not exist.
    """
    statement = SELECT_ORGANIZATIONS.where(Organization.id == organization_id, *own_memberships(actor))
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    return OrganizationOut.model_validate(row)


def list_members(actor: Actor, organization_id: int, query: MemberListQuery) -> MemberPage:
    """List the members of an organization, by the time of joining.

    Raises:
        NotFound: the person does not belong to it, or it does not exist.
    """
    conditions = [Membership.organization_id == organization_id, is_member(actor, organization_id)]
    shape = SELECT_MEMBERS.where(Membership.organization_id == organization_id)
    page = paginate(conditions, shape, Sort("created_at", Membership.created_at, Membership.user_id), query)
    if not page.total:  # A member is in the list: only others get an empty one.
        raise NotFound
    return page_of(MemberPage, page, [MemberOut.model_validate(row) for row in page.rows])


def get_member(organization_id: int, user_id: int) -> MemberOut:
    """Read a member of an organization.

    Raises:
        NotFound: the person is no member.
    """
    statement = SELECT_MEMBERS.where(Membership.organization_id == organization_id, Membership.user_id == user_id)
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    return MemberOut.model_validate(row)


def list_invitations(actor: Actor, organization_id: int, query: InvitationListQuery) -> InvitationPage:
    """List open invitations, the newest first.

    Raises:
        NotFound: the person does not belong to the organization, or it does not exist.
        Forbidden: they do not own it.
    """
    conditions = [
        Invitation.organization_id == organization_id,
        Invitation.used_at.is_(None),
        Invitation.expires_at > func.now(),
        is_member(actor, organization_id, "owner"),
    ]
    shape = select(*Invitation.__table__.columns)
    page = paginate(conditions, shape, Sort("-created_at", Invitation.created_at, Invitation.id), query)
    if not page.total:
        require_owner(actor, organization_id)
    return page_of(InvitationPage, page, [InvitationOut.model_validate(row) for row in page.rows])
