"""What a job is worth: what the person who asked for it may do now, and not what they might when they asked.

A job that an API token asked for is also bound to that token: it must still be there, not have ended, and carry the
scope. A login that has ended since takes nothing from its jobs: the person is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, func, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from backend.actor import Actor, Role
from backend.errors import Forbidden
from backend.extensions import db
from backend.jobs.models import Job

# What the person must be allowed to do, by kind of job; `account:write` whoever has an account.
SCOPES = {
    "capture": "bookmarks:write",
    "breakdown": "tasks:write",
    "ai_test": "account:write",
    "personal_export": "account:write",
    "import": "bookmarks:write",
}
LOST = "The person who asked for this may no longer do it here."

# In SQL, since people and organizations are features above this one.
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
# Held until the end of the transaction: who removes or demotes the person, or deletes the token, waits for it.
BY_LOGIN_HELD = text(_BY_LOGIN + " FOR SHARE OF u, m").bindparams(_ALL)
BY_TOKEN_HELD = text(_BY_TOKEN + " FOR SHARE OF u, m, t")


def present_maker(
    kind: str, organization_id: int, user_id: int | None, token_id: int | None, *, held: bool = False
) -> Actor | None:
    """Who asked for a job of this kind, as they may act now; None if they may not do this any more.

    One statement. With `held`, that stays so until the end of the transaction.
    """
    values = {"organization_id": organization_id, "user_id": user_id}
    if token_id is None:
        found = db.session.execute(BY_LOGIN_HELD if held else BY_LOGIN, values).one_or_none()
    else:
        statement = BY_TOKEN_HELD if held else BY_TOKEN
        found = db.session.execute(statement, {**values, "token_id": token_id}).one_or_none()
    if found is None or user_id is None:
        return None
    actor = Actor(user_id, organization_id, found.role, scopes=frozenset(found.scopes), token_id=token_id)
    return actor if _may(actor, kind) else None


def cancel_jobs_of(user_id: int, organization_id: int | None = None, role: Role | None = None) -> None:
    """Cancel what a person asked for, in one organization or everywhere, in the transaction at hand that takes the
    right from them. With the `role` that they are left with, only what it does not allow."""
    conditions = [Job.user_id == user_id]
    if organization_id is not None:
        conditions.append(Job.organization_id == organization_id)
    if role is not None:
        left = Actor(user_id, organization_id or 0, role)
        conditions.append(Job.kind.in_([kind for kind in SCOPES if not _may(left, kind)]))
    _cancel(conditions)


def cancel_jobs_by_token(token_id: int) -> None:
    """Cancel what an API token asked for, in the transaction at hand that deletes it."""
    _cancel([Job.token_id == token_id])


def cancel_jobs_in(organization_id: int) -> None:
    """Cancel all that is under way in an organization, in the transaction at hand that deletes it."""
    _cancel([Job.organization_id == organization_id])


def _cancel(conditions: Iterable[ColumnElement[bool]]) -> None:
    ended: dict[str, Any] = {"status": "cancelled", "error": LOST, "lease_until": None, "finished_at": func.now()}
    db.session.execute(update(Job).where(*conditions, Job.status.in_(("queued", "running"))).values(**ended))


def _may(actor: Actor, kind: str) -> bool:
    try:
        actor.require(SCOPES[kind])
    except Forbidden:
        return False
    return True
