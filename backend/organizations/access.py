"""Who may see and change an organization: its members, whatever organization the request chose to act in."""

from __future__ import annotations

from sqlalchemy import select

from backend.actor import Actor
from backend.auth.memberships import is_member, role_in
from backend.auth.models import User
from backend.errors import Forbidden, NotFound, Unauthenticated
from backend.extensions import db
from backend.organizations.models import Organization


def require_owner(actor: Actor, organization_id: int) -> None:
    """Pass if the person owns the organization.

    Raises:
        NotFound: they do not even belong to it.
        Forbidden: they belong to it in another role.
    """
    role = role_in(actor, organization_id)
    if role is None:
        raise NotFound
    if role != "owner":
        raise Forbidden("Only owners of the organization may do this.")


def lock_person(actor: Actor, *, alone: bool = False) -> User:
    """The person, if they may act still; the account is kept from being deleted until the end of the transaction.

    Whoever makes a person a member does so first: an account that is being deleted leaves what it belongs to then, and
    an organization that it joined after would be nobody's. Always before an organization is held. With `alone`, nobody
    else holds the person meanwhile.

    Raises:
        Unauthenticated: the account has just been deleted or disabled.
    """
    living = User.id == actor.user_id, User.disabled_at.is_(None)
    held = select(User).where(*living).with_for_update(read=not alone, key_share=alone)
    user: User | None = db.session.scalar(held.execution_options(populate_existing=True))
    if user is None:
        raise Unauthenticated
    return user


def lock_organization(actor: Actor, organization_id: int) -> Organization:
    """The organization, if the person belongs to it, held until the end of the transaction.

    Whoever changes an organization or who belongs to it holds it first, and only then reads roles and counts owners:
    what is read before may be the past. Saving links in it goes on meanwhile.

    Raises:
        NotFound: they do not belong to it, or it never was.
    """
    organization: Organization | None = db.session.scalar(
        select(Organization)
        .where(Organization.id == organization_id, is_member(actor, organization_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if organization is None:
        raise NotFound
    return organization


def lock_owned(actor: Actor, organization_id: int) -> Organization:
    """The organization, held as by `lock_organization`, if the person owns it.

    Raises:
        NotFound: they do not even belong to it.
        Forbidden: they belong to it in another role.
    """
    organization = lock_organization(actor, organization_id)
    require_owner(actor, organization_id)
    return organization
