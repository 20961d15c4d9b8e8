"""Permissions of a job: what its requester may do now, not what they could do when they requested it.

A job requested with an API token is also bound to that token, which must exist, not be expired, and carry the scope.
The end of a login session does not affect its jobs: the person is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, func, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from backend.actor import Actor, Role
from backend.extensions import db
from backend.jobs.models import Job

# The scope that each kind of job requires of its requester.
SCOPES = {
    "capture": "bookmarks:write",
    "breakdown": "tasks:write",
    "ai_test": "account:write",
    "personal_export": "account:write",
    "import": "bookmarks:write",
    "dashboard_export": "dashboard:write",
}
LOST = "The person who asked for this may no longer do it here."

# Plain SQL, since the packages of people and organizations stand above this one.
_PERSON = """
    SELECT m.role, {scopes} AS scopes
      FROM users u
      JOIN memberships m ON m.user_id = u.id AND m.organization_id = :organization_id
      {good}
     WHERE u.id = :user_id AND u.disabled_at IS NULL AND u.deleted_at IS NULL
"""
_OF_CREDENTIAL = """
      JOIN api_tokens t ON t.id = :token_id AND t.user_id = u.id AND t.organization_id = m.organization_id
                       AND (t.expires_at IS NULL OR t.expires_at > now())
"""
_BY_LOGIN = _PERSON.format(scopes="CAST(:all_scopes AS text[])", good="")
_BY_TOKEN = _PERSON.format(scopes="t.scopes", good=_OF_CREDENTIAL)
_ALL = bindparam("all_scopes", ["*:read", "*:write"], type_=ARRAY(Text))
BY_LOGIN = text(_BY_LOGIN).bindparams(_ALL)
BY_TOKEN = text(_BY_TOKEN)
# The row locks make a removal, demotion or token deletion wait for the end of the transaction.
BY_LOGIN_LOCKED = text(_BY_LOGIN + " FOR SHARE OF u, m").bindparams(_ALL)
BY_TOKEN_LOCKED = text(_BY_TOKEN + " FOR SHARE OF u, m, t")


def current_requester(
    kind: str, organization_id: int, user_id: int | None, token_id: int | None, *, lock: bool = False
) -> Actor | None:
    """Return the job's requester with present permissions, or None if they may not run this kind any more.

    One statement. With `lock`, nobody can revoke the permission before the end of the transaction.
    """
    values = {"organization_id": organization_id, "user_id": user_id}
    if token_id is None:
        row = db.session.execute(BY_LOGIN_LOCKED if lock else BY_LOGIN, values).one_or_none()
    else:
        statement = BY_TOKEN_LOCKED if lock else BY_TOKEN
        row = db.session.execute(statement, {**values, "token_id": token_id}).one_or_none()
    if row is None or user_id is None:
        return None
    actor = Actor(user_id, organization_id, row.role, scopes=frozenset(row.scopes), token_id=token_id)
    return actor if actor.may(SCOPES[kind]) else None


def cancel_jobs_of(user_id: int, organization_id: int | None = None, role: Role | None = None) -> None:
    """Cancel a person's jobs, in one organization or everywhere, in the transaction that revokes their permissions.
    With `role`, the role that they keep, only those that it does not permit."""
    conditions = [Job.user_id == user_id]
    if organization_id is not None:
        conditions.append(Job.organization_id == organization_id)
    if role is not None:
        left = Actor(user_id, organization_id or 0, role)
        conditions.append(Job.kind.in_([kind for kind in SCOPES if not left.may(SCOPES[kind])]))
    _cancel(conditions)


def cancel_jobs_by_token(token_id: int) -> None:
    """Cancel the jobs of an API token, in the transaction that deletes it."""
    _cancel([Job.token_id == token_id])


def cancel_jobs_in(organization_id: int) -> None:
    """Cancel all jobs of an organization, in the transaction that deletes it."""
    _cancel([Job.organization_id == organization_id])


def _cancel(conditions: Iterable[ColumnElement[bool]]) -> None:
    ended: dict[str, Any] = {"status": "cancelled", "error": LOST, "lease_until": None, "finished_at": func.now()}
    db.session.execute(update(Job).where(*conditions, Job.status.in_(("queued", "running"))).values(**ended))
