"""Administration of accounts: list, disable, enable. The operator's commands use it too."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from backend.actor import Actor
from backend.admin import queries
from backend.admin.schemas import AdminUserOut, AdminUserPage, AdminUsersQuery
from backend.auth.events import record_event
from backend.auth.models import Session, User
from backend.auth.names import username_fault
from backend.auth.queries import matches_login
from backend.auth.session_cache import invalidate_sessions, invalidate_user, revoke_sessions
from backend.clock import utc_now
from backend.errors import Conflict, NotFound
from backend.extensions import db
from backend.http.idempotency.service import delete_responses
from backend.jobs.rights import cancel_jobs_of
from backend.organizations.invitations import withdraw_invitations_of
from backend.text.account_keys import account_key

BATCH = 1_000


def list_users(actor: Actor, query: AdminUsersQuery) -> AdminUserPage:
    """List all accounts.

    Raises:
        Forbidden: the actor is no administrator.
    """
    actor.require_admin()
    return list_all_users(query)


def list_all_users(query: AdminUsersQuery) -> AdminUserPage:
    """List all accounts for the operator at the console."""
    return queries.list_people(query, account_key(query.q or ""))


def disable_user(actor: Actor, user_id: int) -> AdminUserOut:
    """Disable a person: no login, and all sessions end.

    Raises:
        Forbidden: the actor is no administrator.
        NotFound: there is no such person.
        Conflict: it is the actor.
    """
    actor.require_admin()
    if user_id == actor.user_id:
        raise Conflict("You cannot disable yourself.")
    return AdminUserOut.model_validate(set_disabled(user_id, True, by=actor.user_id))


def enable_user(actor: Actor, user_id: int) -> AdminUserOut:
    """Enable a person.

    Raises:
        Forbidden: the actor is no administrator.
        NotFound: there is no such person.
    """
    actor.require_admin()
    return AdminUserOut.model_validate(set_disabled(user_id, False, by=actor.user_id))


def set_disabled(user_id: int, disabled: bool, *, by: int | None = None) -> User:
    """Disable or enable a person; `by` is the administrator's id, None for the operator at the console.

    Raises:
        NotFound: there is no such person.
    """
    user = _lock_user(user_id)
    if (user.disabled_at is not None) == disabled:
        db.session.rollback()
        return user
    user.disabled_at = utc_now() if disabled else None
    revoked = revoke_sessions(Session.user_id == user.id) if disabled else []
    if disabled:
        cancel_jobs_of(user.id)
        withdraw_invitations_of(user.id)
    record_event(user.id, "user_disabled" if disabled else "user_enabled", detail={"by": by})
    db.session.commit()
    invalidate_sessions(revoked)
    invalidate_user(user.id)
    return user


def set_admin(user_id: int, admin: bool) -> User:
    """Grant or revoke the role of an administrator of the server.

    Raises:
        NotFound: there is no such person.
    """
    user = _lock_user(user_id)
    user.role = "admin" if admin else "user"
    if not admin:
        delete_responses(user.id, "/api/v1/admin")
    record_event(user.id, "role_changed", detail={"role": user.role, "by": None})
    db.session.commit()
    invalidate_user(user.id)
    return user


def find_user(name: str) -> User:
    """Find the person of a username or mail address, in any case.

    Raises:
        NotFound: there is none.
    """
    user = db.session.scalar(select(User).where(matches_login(name)))
    if user is None or user.deleted_at is not None:
        raise NotFound(f"There is no account {name}.")
    return user


def accounts_with_faults() -> Iterator[tuple[User, str]]:
    """Yield accounts that cannot log in by their username or address, and why; the oldest first.

    They are older than the present rules.
    """
    accounts = select(User).where(User.deleted_at.is_(None)).order_by(User.id).execution_options(yield_per=BATCH)
    for user in db.session.scalars(accounts):
        fault = username_fault(user.username)
        if fault is None and user.username_key != account_key(user.username):
            fault = "Another account has a username that compares as the same"
        if user.email_key != account_key(user.email):
            fault = "Another account has a mail address that compares as the same"
        if fault is not None:
            yield user, fault


def _lock_user(user_id: int) -> User:
    user = db.session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None or user.deleted_at is not None:
        raise NotFound
    return user
