"""What administrators do: look at people, disable and enable them. The operator's commands do the same."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from backend.actor import Actor
from backend.admin import queries
from backend.admin.schemas import AdminUserOut, AdminUserPage, AdminUsersQuery
from backend.auth.events import record_event
from backend.auth.models import Session, User
from backend.auth.names import fold, username_fault
from backend.auth.queries import is_called
from backend.auth.session_cache import announce_revoked, forget_user, revoke_sessions
from backend.clock import utc_now
from backend.errors import Conflict, NotFound
from backend.extensions import db
from backend.http.idempotency.service import delete_responses
from backend.jobs.rights import cancel_jobs_of
from backend.organizations.invitations import withdraw_all_of

BATCH = 1_000


def list_users(actor: Actor, query: AdminUsersQuery) -> AdminUserPage:
    """One page of everybody's accounts.

    Raises:
        Forbidden: the actor is no administrator.
    """
    actor.require_admin()
    return list_everybody(query)


def list_everybody(query: AdminUsersQuery) -> AdminUserPage:
    """The same for the operator at the console."""
    return queries.list_people(query, fold(query.q or ""))


def disable_user(actor: Actor, user_id: int) -> AdminUserOut:
    """Keep a person out: no login, and all sessions end.

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
    """Let a person in again.

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
    user = _locked_user(user_id)
    if (user.disabled_at is not None) == disabled:
        db.session.rollback()
        return user
    user.disabled_at = utc_now() if disabled else None
    revoked = revoke_sessions(Session.user_id == user.id) if disabled else []
    if disabled:
        cancel_jobs_of(user.id)
        withdraw_all_of(user.id)
    record_event(user.id, "user_disabled" if disabled else "user_enabled", detail={"by": by})
    db.session.commit()
    announce_revoked(revoked)
    forget_user(user.id)
    return user


def set_admin(user_id: int, admin: bool) -> User:
    """Make a person an administrator of the server, or one no more.

    Raises:
        NotFound: there is no such person.
    """
    user = _locked_user(user_id)
    user.role = "admin" if admin else "user"
    if not admin:
        delete_responses(user.id, "/api/v1/admin")
    record_event(user.id, "role_changed", detail={"role": user.role, "by": None})
    db.session.commit()
    forget_user(user.id)
    return user


def find_user(name: str) -> User:
    """The person of this username or mail address, in any case.

    Raises:
        NotFound: there is none.
    """
    user = db.session.scalar(select(User).where(is_called(name)))
    if user is None or user.deleted_at is not None:
        raise NotFound(f"There is no account {name}.")
    return user


def accounts_with_faults() -> Iterator[tuple[User, str]]:
    """Accounts that cannot be found by their username, or by their address, and why; the oldest first.

    Such as were made before the rules of today.
    """
    accounts = select(User).where(User.deleted_at.is_(None)).order_by(User.id).execution_options(yield_per=BATCH)
    for user in db.session.scalars(accounts):
        fault = username_fault(user.username)
        if fault is None and user.username_key != fold(user.username):
            fault = "Another account has a username that compares as the same"
        if user.email_key != fold(user.email):
            fault = "Another account has a mail address that compares as the same"
        if fault is not None:
            yield user, fault


def _locked_user(user_id: int) -> User:
    user = db.session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None or user.deleted_at is not None:
        raise NotFound
    return user
