"""Inviting people to an organization by mail."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from backend.actor import Actor, Role
from backend.auth.events import record_event
from backend.auth.models import SecurityEvent, User
from backend.auth.names import fold
from backend.auth.session_cache import invalidate_user
from backend.auth.tokens import token_hash
from backend.clock import utc_now
from backend.errors import Conflict, Forbidden, Invalid, NotFound, TooManyRequests
from backend.extensions import db
from backend.jobs.queue import Message, send
from backend.mail.service import add_mail
from backend.organizations.access import lock_owned, lock_person
from backend.organizations.models import Invitation, Membership, Organization
from backend.organizations.schemas import InvitationOut, OrganizationOut

LIFETIME, HOUR = timedelta(days=7), timedelta(hours=1)
MAX_OPEN = 50
# What one person may have mailed: nobody asked for these mails. To one address, and in all.
MAILS_PER_HOUR, MAILS_PER_HOUR_IN_ALL = 10, 100


def invite(actor: Actor, organization_id: int, email: str, role: Role) -> InvitationOut:
    """Offer a mail address a place in the organization; an earlier offer to it no longer counts.

    Raises:
        NotFound: the person does not belong to the organization, or it never was.
        Forbidden: they do not own it.
        Conflict: it is a personal one, the address is that of a member, or too many invitations are open.
        TooManyRequests: the person has had too many mailed within an hour.
        Unauthenticated: the person's account has just been disabled or deleted.
    """
    # Disabling and deleting wait: they take back what was sent before, and this would come after.
    inviter = lock_person(actor)
    organization = lock_owned(actor, organization_id)
    if organization.personal:
        raise Conflict("A personal organization is for one person. Make an organization for a team.")
    is_confirmed = _refuse_member(organization_id, email)
    _refuse_too_often(actor, email)
    db.session.execute(
        delete(Invitation).where(Invitation.organization_id == organization_id, Invitation.email_key == fold(email))
    )
    _refuse_too_many(organization_id)
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        organization_id=organization_id,
        email=email,
        email_key=fold(email),
        role=role,
        invited_by=actor.user_id,
        token_hash=token_hash(token),
        expires_at=utc_now() + LIFETIME,
    )
    db.session.add(invitation)
    db.session.flush()
    message = _mail(inviter, organization, invitation, token, is_confirmed=is_confirmed)
    detail = {"email": email, "role": role}
    record_event(actor.user_id, "invitation_sent", organization_id=organization_id, detail=detail)
    db.session.commit()
    send([message])
    return InvitationOut.model_validate(invitation)


def withdraw_invitation(actor: Actor, organization_id: int, invitation_id: int) -> None:
    """Take back an invitation; its token is worth nothing any more.

    Raises:
        NotFound: the person does not belong to the organization, or there is no such open invitation.
        Forbidden: they do not own it.
    """
    lock_owned(actor, organization_id)
    withdrawn = (
        delete(Invitation)
        .where(Invitation.id == invitation_id, Invitation.organization_id == organization_id)
        .where(Invitation.used_at.is_(None), Invitation.expires_at > func.now())
        .returning(Invitation.id)
    )
    if db.session.scalar(withdrawn) is None:
        raise NotFound
    db.session.commit()


def accept_invitation(actor: Actor, token: str) -> OrganizationOut:
    """Take the place that an invitation offers.

    Raises:
        Invalid: the token is forged, withdrawn or replaced, used, or older than a week, or who sent it may no longer
            invite: has left, is no owner any more, or is disabled or deleted.
        Forbidden: the invitation is for another mail address than the person's.
        Conflict: the person belongs to the organization already; the invitation is used up.
        Unauthenticated: the person's account has just been deleted.
    """
    user = lock_person(actor)
    organization, invitation = _lock_invitation(token)
    if invitation.used_at is not None:
        raise Invalid.field("body.token", "This invitation has been used.", "token_used")
    if invitation.expires_at <= utc_now():
        raise Invalid.field("body.token", "This invitation has expired. Ask for another one.", "token_expired")
    if invitation.email_key != user.email_key:
        raise Forbidden("This invitation is for another mail address than that of your account.")
    invitation.used_at = utc_now()
    place = {"user_id": actor.user_id, "organization_id": organization.id, "role": invitation.role}
    added = insert(Membership).values(place).on_conflict_do_nothing().returning(Membership.user_id)
    is_new = db.session.scalar(added) is not None
    if is_new:
        detail = {"role": invitation.role}
        record_event(actor.user_id, "member_added", organization_id=organization.id, detail=detail)
    db.session.commit()
    if not is_new:
        raise Conflict("You belong to this organization already.")
    invalidate_user(actor.user_id)
    return OrganizationOut.of(organization, invitation.role)


def withdraw_invitations_of(user_id: int, organization_id: int | None = None) -> None:
    """Take back the open invitations that a person sent, in one organization or in all, in the transaction at hand.

    Whoever takes somebody's right to invite does so with it, holding the organization or the person.
    """
    which = [Invitation.invited_by == user_id, Invitation.used_at.is_(None)]
    if organization_id is not None:
        which.append(Invitation.organization_id == organization_id)
    db.session.execute(delete(Invitation).where(*which))


def _lock_invitation(token: str) -> tuple[Organization, Invitation]:
    """The invitation, and its organization held first, as everywhere: so of two who accept, one sees it used.

    While the organization is held, its owners stay what they are; who sent the invitation must be one of them. If they
    are disabled, that is seen, or happens after.
    """
    which = Invitation.token_hash == token_hash(token)
    of_it = select(Invitation.organization_id).where(which).scalar_subquery()
    organization = db.session.scalar(
        select(Organization).where(Organization.id == of_it).with_for_update(key_share=True)
    )
    may_invite = exists().where(
        Membership.organization_id == Invitation.organization_id,
        Membership.user_id == Invitation.invited_by,
        Membership.role == "owner",
        User.id == Invitation.invited_by,
        User.disabled_at.is_(None),
    )
    found = db.session.execute(select(Invitation, may_invite).where(which)).one_or_none() if organization else None
    # What was used says so, also where its sender has gone.
    if organization is None or found is None or not (found[0].used_at or found[1]):
        message = "There is no such invitation, or it has been replaced or withdrawn."
        raise Invalid.field("body.token", message, "token_unknown")
    return organization, found[0]


def _refuse_member(organization_id: int, email: str) -> bool:
    """Refuse whoever belongs to it; whether somebody here has confirmed the address."""
    belongs = exists().where(Membership.organization_id == organization_id, Membership.user_id == User.id)
    holder = db.session.execute(
        select(User.email_verified_at, belongs.label("belongs")).where(User.email_key == fold(email))
    ).one_or_none()
    if holder is not None and holder.belongs:
        raise Conflict("A person with this mail address belongs to the organization already.")
    return holder is not None and holder.email_verified_at is not None


def _refuse_too_many(organization_id: int) -> None:
    which = Invitation.organization_id == organization_id, Invitation.used_at.is_(None)
    count = select(func.count()).select_from(Invitation).where(*which, Invitation.expires_at > func.now())
    if (db.session.scalar(count) or 0) >= MAX_OPEN:
        raise Conflict(f"{MAX_OPEN} invitations are open. Wait until some are accepted, or withdraw some.")


def _refuse_too_often(actor: Actor, email: str) -> None:
    mailed = SecurityEvent.user_id == actor.user_id, SecurityEvent.kind == "invitation_sent"
    to_them = func.lower(SecurityEvent.detail["email"].astext) == email.lower()
    in_all, to_one, first = db.session.execute(
        select(func.count(), func.count().filter(to_them), func.min(SecurityEvent.created_at)).where(
            *mailed, SecurityEvent.created_at > func.now() - HOUR
        )
    ).one()
    if to_one >= MAILS_PER_HOUR or in_all >= MAILS_PER_HOUR_IN_ALL:
        wait = (first + HOUR - utc_now()).total_seconds()
        raise TooManyRequests("You have had too many invitations mailed. Wait a little.", retry_after=wait)


def _mail(
    inviter: User, organization: Organization, invitation: Invitation, token: str, *, is_confirmed: bool
) -> Message:
    values = {
        "organization": organization.name,
        "inviter": inviter.username,
        "role": invitation.role,
        "token": token,
    }
    # Whoever has not shown here that they read a mailbox gets nothing in it that somebody else wrote.
    template = "invitation_named" if is_confirmed else "invitation"
    return add_mail(invitation.email, template, values)
