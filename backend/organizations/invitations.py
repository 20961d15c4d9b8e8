"""Invitations to an organization by mail."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from backend.activity.log import record_activity_in
from backend.activity.types import ActivityType
from backend.actor import Actor, Role
from backend.auth.events import record_event
from backend.auth.models import SecurityEvent, User
from backend.auth.session_cache import invalidate_user
from backend.auth.tokens import token_hash
from backend.clock import utc_now
from backend.errors import Conflict, Forbidden, Invalid, NotFound, TooManyRequests
from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate_lists
from backend.jobs.queue import Message, send
from backend.mail.service import add_mail
from backend.organizations.access import lock_owned, lock_person
from backend.organizations.models import Invitation, Membership, Organization
from backend.organizations.schemas import InvitationOut, OrganizationOut
from backend.text.account_keys import account_key

LIFETIME, HOUR = timedelta(days=7), timedelta(hours=1)
MAX_OPEN = 50
# Limit of invitations by one person, to one address and in all: the mails are unsolicited.
MAILS_PER_HOUR, MAILS_PER_HOUR_IN_ALL = 10, 100


def invite(actor: Actor, organization_id: int, email: str, role: Role) -> InvitationOut:
    """Invite a mail address to an organization; an earlier invitation to it becomes invalid.

    Raises:
        NotFound: the person does not belong to the organization, or it does not exist.
        Forbidden: they do not own it.
        Conflict: it is a personal one, the address is a member's, or too many invitations are open.
        TooManyRequests: the person has sent too many within an hour.
        Unauthenticated: the person's account has just been disabled or deleted.
    """
    # The lock makes a disabling or deletion wait: these withdraw existing invitations, and would miss this one.
    inviter = lock_person(actor)
    organization = lock_owned(actor, organization_id)
    if organization.personal:
        raise Conflict("A personal organization is for one person. Make an organization for a team.")
    is_confirmed = _refuse_member(organization_id, email)
    _refuse_too_often(actor, email)
    db.session.execute(
        delete(Invitation).where(
            Invitation.organization_id == organization_id, Invitation.email_key == account_key(email)
        )
    )
    _refuse_too_many(organization_id)
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        organization_id=organization_id,
        email=email,
        email_key=account_key(email),
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
    """Withdraw an invitation; its token becomes invalid.

    Raises:
        NotFound: the person does not belong to the organization, or there is no such open invitation.
        Forbidden: they do not own it.
    """
    lock_owned(actor, organization_id)
    deletion = (
        delete(Invitation)
        .where(Invitation.id == invitation_id, Invitation.organization_id == organization_id)
        .where(Invitation.used_at.is_(None), Invitation.expires_at > func.now())
        .returning(Invitation.id)
    )
    if db.session.scalar(deletion) is None:
        raise NotFound
    db.session.commit()


def accept_invitation(actor: Actor, token: str) -> OrganizationOut:
    """Accept an invitation: become a member of its organization.

    Raises:
        Invalid: the token is forged, withdrawn or replaced, used, or older than a week, or its sender may no longer
            invite: has left, is no owner any more, or is disabled or deleted.
        Forbidden: the invitation is for another mail address than the person's.
        Conflict: the person is a member already; the invitation counts as used.
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
    membership = {"user_id": actor.user_id, "organization_id": organization.id, "role": invitation.role}
    added = insert(Membership).values(membership).on_conflict_do_nothing().returning(Membership.user_id)
    is_new = db.session.scalar(added) is not None
    if is_new:
        detail = {"role": invitation.role}
        record_event(actor.user_id, "member_added", organization_id=organization.id, detail=detail)
        record_activity_in(
            organization.id, actor.user_id, ActivityType.MEMBER_JOINED, actor.user_id, role=invitation.role
        )
    db.session.commit()
    if not is_new:
        raise Conflict("You belong to this organization already.")
    invalidate_user(actor.user_id)
    invalidate_lists(organization.id)
    return OrganizationOut.of(organization, invitation.role)


def withdraw_invitations_of(user_id: int, organization_id: int | None = None) -> None:
    """Withdraw the open invitations that a person sent, in one organization or in all, in the current transaction.

    Call it whenever a person loses the right to invite, with the organization or the person locked.
    """
    conditions = [Invitation.invited_by == user_id, Invitation.used_at.is_(None)]
    if organization_id is not None:
        conditions.append(Invitation.organization_id == organization_id)
    db.session.execute(delete(Invitation).where(*conditions))


def _lock_invitation(token: str) -> tuple[Organization, Invitation]:
    """Lock the organization of an invitation, then read the invitation: of two requests one sees it as used.

    The lock fixes the owners of the organization; the sender must be one of them. A disabling of the sender is seen, or
    happens after.
    """
    has_token = Invitation.token_hash == token_hash(token)
    organization_id = select(Invitation.organization_id).where(has_token).scalar_subquery()
    organization = db.session.scalar(
        select(Organization).where(Organization.id == organization_id).with_for_update(key_share=True)
    )
    may_invite = exists().where(
        Membership.organization_id == Invitation.organization_id,
        Membership.user_id == Invitation.invited_by,
        Membership.role == "owner",
        User.id == Invitation.invited_by,
        User.disabled_at.is_(None),
    )
    # Locked too: a disabling of the sender deletes the invitation without the lock of the organization.
    invitation = select(Invitation, may_invite).where(has_token).with_for_update(of=Invitation)
    row = db.session.execute(invitation).one_or_none() if organization else None
    # A used invitation is reported as used, also where its sender has left.
    if organization is None or row is None or not (row[0].used_at or row[1]):
        message = "There is no such invitation, or it has been replaced or withdrawn."
        raise Invalid.field("body.token", message, "token_unknown")
    return organization, row[0]


def _refuse_member(organization_id: int, email: str) -> bool:
    """Refuse a member; return whether an account has confirmed the address."""
    belongs = exists().where(Membership.organization_id == organization_id, Membership.user_id == User.id)
    holder = db.session.execute(
        select(User.email_verified_at, belongs.label("belongs")).where(User.email_key == account_key(email))
    ).one_or_none()
    if holder is not None and holder.belongs:
        raise Conflict("A person with this mail address belongs to the organization already.")
    return holder is not None and holder.email_verified_at is not None


def _refuse_too_many(organization_id: int) -> None:
    unused = Invitation.organization_id == organization_id, Invitation.used_at.is_(None)
    count = select(func.count()).select_from(Invitation).where(*unused, Invitation.expires_at > func.now())
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
    # An unconfirmed mailbox gets no text that somebody else wrote.
    template = "invitation_named" if is_confirmed else "invitation"
    return add_mail(invitation.email, template, values)
