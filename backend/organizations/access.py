"""Access to an organization by its members, whatever organization the request acts in."""

from __future__ import annotations

from sqlalchemy import select

from backend.actor import Actor
from backend.auth.memberships import is_member, role_in
from backend.auth.models import User
from backend.errors import Forbidden, NotFound, Unauthenticated
from backend.extensions import db
from backend.organizations.models import Organization


def require_owner(actor: Actor, organization_id: int) -> None:
    """Check that the actor owns the organization.

    Raises:
        NotFound: they do not belong to it.
        Forbidden: they belong to it in another role.
    """
    role = role_in(actor, organization_id)
    if role is None:
        raise NotFound
    if role != "owner":
        raise Forbidden("Only owners of the organization may do this.")


def lock_person(actor: Actor, *, alone: bool = False) -> User:
    """Lock the person, if they may still act, against the deletion of the account until the end of the transaction.

    Call it before a membership is added: a deletion ends the existing memberships, and an organization that the account
    joined later would have no owner. Always before an organization is locked. With `alone` the lock is exclusive.

    Raises:
        Unauthenticated: the account has just been deleted or disabled.
    """
    enabled = User.id == actor.user_id, User.disabled_at.is_(None)
    locked = select(User).where(*enabled).with_for_update(read=not alone, key_share=alone)
    user: User | None = db.session.scalar(locked.execution_options(populate_existing=True))
    if user is None:
        raise Unauthenticated
    return user


def lock_organization(actor: Actor, organization_id: int) -> Organization:
    """Lock an organization to which the actor belongs, until the end of the transaction.

    Changes of an organization or its members lock it before they read roles and count owners: rows read before the lock
    may be stale. Inserts that refer to it go on meanwhile.

    Raises:
        NotFound: they do not belong to it, or it does not exist.
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
    """Lock an organization that the actor owns, as `lock_organization` does.

    Raises:
        NotFound: they do not belong to it.
        Forbidden: they belong to it in another role.
    """
    organization = lock_organization(actor, organization_id)
    require_owner(actor, organization_id)
    return organization
