"""Deletion of accounts: at once for everyone, and from the tables in batches by the worker."""

from __future__ import annotations

import time

from sqlalchemy import delete, exists, select, text
from sqlalchemy.orm import aliased

from backend.actor import Actor
from backend.ai.models import AiProvider
from backend.auth.events import record_event
from backend.auth.models import Session, User
from backend.auth.session_cache import invalidate_sessions, invalidate_user, revoke_sessions
from backend.clock import utc_now
from backend.database import execute_in_batches
from backend.errors import Conflict
from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate
from backend.jobs.queue import Message, send
from backend.jobs.rights import cancel_jobs_of
from backend.organizations.invitations import withdraw_invitations_of
from backend.organizations.members import record_left
from backend.organizations.models import Membership, Organization
from backend.profile.service import check_password, lock_user
from backend.search.recent import delete_searches

# Small enough for short locks, far from the statement time-out.
BATCH = 1_000
# No bookmark or task is left by then, but ten thousands of words and jobs may be.
LAST_STATEMENTS_MS = 120_000

# ARRAY makes PostgreSQL choose the rows once; IN may run the subquery for each row, with other rows each time.
DELETE_BOOKMARKS = text("""
    DELETE FROM bookmarks WHERE id = ANY (ARRAY(
        SELECT id FROM bookmarks WHERE organization_id = :owner LIMIT :batch FOR UPDATE SKIP LOCKED))
""")
RELEASE_BOOKMARKS = text("""
    UPDATE bookmarks SET user_id = NULL WHERE id = ANY (ARRAY(
        SELECT id FROM bookmarks WHERE user_id = :owner LIMIT :batch FOR UPDATE SKIP LOCKED))
""")
DELETE_TASKS = text("""
    DELETE FROM tasks WHERE id = ANY (ARRAY(
        SELECT id FROM tasks WHERE organization_id = :owner LIMIT :batch FOR UPDATE SKIP LOCKED))
""")
RELEASE_TASKS = text("""
    UPDATE tasks SET user_id = NULL WHERE id = ANY (ARRAY(
        SELECT id FROM tasks WHERE user_id = :owner LIMIT :batch FOR UPDATE SKIP LOCKED))
""")


def deletion_message() -> Message:
    """Make the message that has a worker remove deleted accounts."""
    return Message("profile.remove_deleted_accounts", queue="bulk", timeout_seconds=600, once=True)


def delete_account(actor: Actor, password: str, address: str) -> None:
    """Delete the account: nobody can act with it any more, and its name and address are free.

    `address` is that of the client.

    Raises:
        TooManyRequests: too many wrong passwords.
        Invalid: the password is wrong.
        Conflict: teams would be left without an owner.
    """
    user = lock_user(actor)
    check_password(user, password, "password", address)
    _refuse_to_orphan_teams(user)
    user.deleted_at = user.disabled_at = utc_now()
    # A name with a space cannot be registered.
    user.email = user.email_key = user.username = user.username_key = f"deleted {user.id}"
    user.password_hash, user.role = "", "user"
    memberships = delete(Membership).where(Membership.user_id == user.id)
    left = db.session.execute(memberships.returning(Membership.organization_id, Membership.created_at)).all()
    withdraw_invitations_of(user.id)
    db.session.execute(delete(AiProvider).where(AiProvider.user_id == user.id))
    cancel_jobs_of(user.id)
    revoked = revoke_sessions(Session.user_id == user.id)
    record_event(None, "account_deleted", detail={"user_id": user.id})
    for membership in left:
        record_left(membership.organization_id, user.id, user.id, membership.created_at)
    db.session.commit()
    invalidate_sessions(revoked)
    invalidate_user(user.id)
    invalidate([membership.organization_id for membership in left])
    delete_searches(user.id, [membership.organization_id for membership in left])
    send([deletion_message()])


def remove_deleted(seconds: float) -> bool:
    """Remove rows of deleted accounts for about so long; return whether none is left.

    Safe to interrupt, to repeat, and to run in two workers.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        account = db.session.execute(
            select(User.id, User.personal_organization_id).where(User.deleted_at.is_not(None)).limit(1)
        ).first()
        db.session.commit()
        if account is None:
            return True
        if _remove_rows(account.id, account.personal_organization_id, end):
            _remove_account(account.id, account.personal_organization_id)
    return not is_removal_due()


def is_removal_due() -> bool:
    """Tell whether a deleted account is left to remove."""
    return bool(db.session.scalar(select(exists().where(User.deleted_at.is_not(None)))))


def _refuse_to_orphan_teams(user: User) -> None:
    # The lock serialises changes of members: of two owners who leave at once the second sees the first gone. Rows read
    # before the lock may be stale.
    teams = db.session.execute(
        select(Organization.id, Organization.name)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user.id, Organization.personal.is_(False))
        .order_by(Organization.id)
        .with_for_update(of=Organization, key_share=True)
    ).all()
    if not teams:
        return
    others = aliased(Membership)
    has_another = exists().where(
        others.organization_id == Membership.organization_id, others.role == "owner", others.user_id != user.id
    )
    alone = set(
        db.session.scalars(
            select(Membership.organization_id)
            .where(Membership.user_id == user.id, Membership.role == "owner", ~has_another)
            .where(Membership.organization_id.in_([team.id for team in teams]))
        )
    )
    if alone:
        names = ", ".join(f"{team.name} (id {team.id})" for team in teams if team.id in alone)
        raise Conflict(f"These teams have no other owner; hand them over or delete them first: {names}.")


def _remove_rows(user_id: int, organization_id: int, end: float) -> bool:
    """Delete bookmarks and tasks of the personal organization, and unset the person in those of teams; return whether
    none is left."""
    steps = (
        (DELETE_BOOKMARKS, organization_id),
        (RELEASE_BOOKMARKS, user_id),
        (DELETE_TASKS, organization_id),
        (RELEASE_TASKS, user_id),
    )
    for statement, owner in steps:
        if any(time.monotonic() > end for _ in execute_in_batches(statement, {"owner": owner, "batch": BATCH})):
            return False
    return True


def _remove_account(user_id: int, organization_id: int) -> None:
    db.session.execute(text(f"SET LOCAL statement_timeout = {LAST_STATEMENTS_MS}"))
    db.session.execute(delete(User).where(User.id == user_id, User.deleted_at.is_not(None)))
    db.session.execute(delete(Organization).where(Organization.id == organization_id, Organization.personal))
    db.session.commit()
