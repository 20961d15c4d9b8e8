"""/organizations and /invitations. All act on the organization in the path, whatever X-Organization-ID says."""

from __future__ import annotations

from flask import Blueprint, url_for

from backend.actor import Actor
from backend.http.operations import operation
from backend.organizations import invitations, members, queries, service
from backend.organizations.schemas import (
    AcceptIn,
    InvitationIn,
    InvitationListQuery,
    InvitationOut,
    InvitationPage,
    MemberListQuery,
    MemberOut,
    MemberPage,
    MemberPatch,
    OrganizationDeleteIn,
    OrganizationDeleteQuery,
    OrganizationIn,
    OrganizationListQuery,
    OrganizationOut,
    OrganizationPage,
    OrganizationPatch,
)

blueprint = Blueprint("organizations", __name__, url_prefix="/organizations")
invitations_blueprint = Blueprint("invitations", __name__, url_prefix="/invitations")
READ, WRITE, TAG = "organizations:read", "organizations:write", "organizations"


@blueprint.get("")
@operation(scope=READ, limit="list", tag=TAG, responses={200: OrganizationPage}, cache="organization")
def list_organizations(actor: Actor, query: OrganizationListQuery) -> OrganizationPage:
    """List the organizations that you belong to."""
    return queries.list_organizations(actor, query)


@blueprint.post("")
@operation(scope=WRITE, limit="write", tag=TAG, responses={201: OrganizationOut, 409: None})
def create_organization(actor: Actor, json: OrganizationIn) -> tuple[OrganizationOut, int, dict[str, str]]:
    """Make an organization; you own it."""
    organization = service.create_organization(actor, json)
    location = url_for("organizations.read_organization", organization_id=organization.id)
    return organization, 201, {"Location": location}


@blueprint.get("/<id:organization_id>")
@operation(scope=READ, limit="read", tag=TAG, responses={200: OrganizationOut}, cache="organization")
def read_organization(actor: Actor, organization_id: int) -> OrganizationOut:
    """Read one organization."""
    return queries.get_organization(actor, organization_id)


@blueprint.patch("/<id:organization_id>")
@operation(scope=WRITE, limit="write", tag=TAG, responses={200: OrganizationOut, 409: None})
def update_organization(actor: Actor, organization_id: int, json: OrganizationPatch) -> OrganizationOut:
    """Change an organization that you own."""
    return service.update_organization(actor, organization_id, json)


@blueprint.delete("/<id:organization_id>")
@operation(scope=WRITE, limit="write", tag=TAG, responses={204: None, 409: None})
def delete_organization(
    actor: Actor, organization_id: int, query: OrganizationDeleteQuery, json: OrganizationDeleteIn
) -> tuple[str, int]:
    """Delete an organization that you own, and everything in it."""
    service.delete_organization(actor, organization_id, query.name if json.name is None else json.name)
    return "", 204


@blueprint.get("/<id:organization_id>/members")
@operation(scope=READ, limit="list", tag=TAG, responses={200: MemberPage})
def list_members(actor: Actor, organization_id: int, query: MemberListQuery) -> MemberPage:
    """List who belongs to an organization."""
    return queries.list_members(actor, organization_id, query)


@blueprint.patch("/<id:organization_id>/members/<id:user_id>")
@operation(scope=WRITE, limit="write", tag=TAG, responses={200: MemberOut, 409: None})
def change_role(actor: Actor, organization_id: int, user_id: int, json: MemberPatch) -> MemberOut:
    """Give a member another role."""
    return members.change_role(actor, organization_id, user_id, json.role)


@blueprint.delete("/<id:organization_id>/members/<id:user_id>")
@operation(scope=WRITE, limit="write", tag=TAG, responses={204: None, 409: None})
def remove_member(actor: Actor, organization_id: int, user_id: int) -> tuple[str, int]:
    """Remove a member, or leave."""
    members.remove_member(actor, organization_id, user_id)
    return "", 204


@blueprint.get("/<id:organization_id>/invitations")
@operation(scope=READ, limit="list", tag=TAG, responses={200: InvitationPage})
def list_invitations(actor: Actor, organization_id: int, query: InvitationListQuery) -> InvitationPage:
    """List the open invitations of an organization that you own."""
    return queries.list_invitations(actor, organization_id, query)


@blueprint.post("/<id:organization_id>/invitations")
@operation(scope=WRITE, limit="write", tag=TAG, responses={201: InvitationOut, 409: None})
def invite(actor: Actor, organization_id: int, json: InvitationIn) -> tuple[InvitationOut, int]:
    """Invite a person by mail; an earlier invitation to the address no longer counts."""
    return invitations.invite(actor, organization_id, json.email, json.role), 201


@blueprint.delete("/<id:organization_id>/invitations/<id:invitation_id>")
@operation(scope=WRITE, limit="write", tag=TAG, responses={204: None})
def withdraw_invitation(actor: Actor, organization_id: int, invitation_id: int) -> tuple[str, int]:
    """Take back an invitation."""
    invitations.withdraw_invitation(actor, organization_id, invitation_id)
    return "", 204


@invitations_blueprint.post("/accept")
@operation(scope="login", limit="auth", tag=TAG, responses={200: OrganizationOut, 409: None})
def accept_invitation(actor: Actor, json: AcceptIn) -> OrganizationOut:
    """Accept an invitation that came by mail."""
    return invitations.accept_invitation(actor, json.token)
