"""Idempotency keys: a claimed row for each first request, and its stored response.

The row is committed before the work begins; the transaction of the work marks it; the response is stored after that. A
repeated request is refused while the first runs, gets the stored response after it, does the work after a crash before
the commit, and gets a conflict after a crash between commit and response.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, event, func, or_, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.database import execute_in_batches
from backend.encryption import DecryptionError, decrypt, encrypt
from backend.errors import Conflict, Invalid
from backend.extensions import db
from backend.http.idempotency.models import IdempotencyKey
from backend.leases import seconds_from_now

STORED_HOURS = 24
# Longer than any request may run. The claim is an upsert, since the first request has no row yet; its random id, not a
# count of attempts, is the fencing token, since the row may be deleted and made again.
LEASE_SECONDS = 90
# The attempt whose work a database session is about to commit.
WORKING = "idempotency_attempt"
PURGE = text("""
    DELETE FROM idempotency_keys WHERE (user_id, path, key) IN (
        SELECT user_id, path, key FROM idempotency_keys
         WHERE created_at < now() - make_interval(hours => :hours) LIMIT 1000)
""")


@dataclass(frozen=True)
class IdempotentAttempt:
    """One attempt at a request: the person, the path, the key, and its id."""

    user_id: int
    path: str
    key: str
    id: UUID

    @property
    def row(self) -> ColumnElement[bool]:
        """The row of this attempt, as long as it holds the lease."""
        return and_(
            IdempotencyKey.user_id == self.user_id,
            IdempotencyKey.path == self.path,
            IdempotencyKey.key == self.key,
            IdempotencyKey.attempt == self.id,
        )


@dataclass(frozen=True)
class Replay:
    """The stored response of the first request."""

    status: int
    headers: Mapping[str, str]
    body: str


def claim(user_id: int, path: str, key: str, body_hash: bytes) -> IdempotentAttempt | Replay:
    """Claim the work, or return the stored response. Commits; two statements at most.

    Args:
        user_id: The person.
        path: The path of the request.
        key: The idempotency key.
        body_hash: The hash of everything that identifies the request.

    Raises:
        Invalid: the key was used for another request.
        Conflict: the first request still runs, or its response was lost.
    """
    db.session.info.pop(WORKING, None)
    attempt = IdempotentAttempt(user_id, path, key, uuid4())
    row = IdempotencyKey.__table__.c
    free = or_(
        row.created_at < func.now() - text(f"interval '{STORED_HOURS} hours'"),
        # The lease has expired without a commit.
        (row.body_hash == body_hash) & row.status.is_(None) & ~row.is_committed & (row.claimed_until < func.now()),
    )
    values = {
        "body_hash": body_hash,
        "attempt": attempt.id,
        "claimed_until": seconds_from_now(LEASE_SECONDS),
        "is_committed": False,
        "status": None,
        "headers": None,
        "body": None,
        "created_at": func.now(),
    }
    claimed = db.session.scalar(
        insert(IdempotencyKey)
        .values(user_id=user_id, path=path, key=key, **values)
        .on_conflict_do_update(index_elements=["user_id", "path", "key"], set_=values, where=free)
        .returning(IdempotencyKey.attempt)
    )
    earlier = None if claimed else db.session.get(IdempotencyKey, (user_id, path, key), populate_existing=True)
    db.session.commit()
    if earlier is not None:
        return _replay(earlier, body_hash)
    if claimed is None:
        raise Conflict("The first request with this key has just ended. Send it again.")
    db.session.info[WORKING] = attempt
    return attempt


def complete(attempt: IdempotentAttempt, status: int, headers: Mapping[str, str], body: str) -> None:
    """Store the response for repeated requests. Commits."""
    db.session.info.pop(WORKING, None)
    db.session.execute(
        update(IdempotencyKey).where(attempt.row).values(status=status, headers=dict(headers), body=encrypt(body))
    )
    db.session.commit()


def release(attempt: IdempotentAttempt) -> None:
    """Release the claim, unless the work is committed. Commits."""
    db.session.info.pop(WORKING, None)
    db.session.rollback()
    db.session.execute(delete(IdempotencyKey).where(attempt.row, IdempotencyKey.is_committed.is_(False)))
    db.session.commit()


def delete_responses(user_id: int, path: str) -> None:
    """Delete a person's stored responses at a path and below it, in the transaction that takes a right from them."""
    here = or_(IdempotencyKey.path == path, IdempotencyKey.path.startswith(f"{path}/", autoescape=True))
    db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.user_id == user_id, here))


def purge() -> None:
    """Delete keys that are older than a day."""
    for _ in execute_in_batches(PURGE, {"hours": STORED_HOURS}):
        pass


@event.listens_for(Session, "before_commit")
def _mark_committed(session: Session) -> None:
    attempt: IdempotentAttempt | None = session.info.pop(WORKING, None)
    if attempt is not None:
        session.execute(update(IdempotencyKey).where(attempt.row).values(is_committed=True))


def _replay(earlier: IdempotencyKey, body_hash: bytes) -> Replay:
    if earlier.body_hash != body_hash:
        raise Invalid.field("header.Idempotency-Key", "This key was used for another request.", "key_reused")
    if earlier.status is None or earlier.body is None:
        if earlier.is_committed:
            raise Conflict("The first request with this key was carried out, but its answer is not known any more.")
        raise Conflict("The first request with this key still runs.")
    try:
        return Replay(earlier.status, earlier.headers or {}, decrypt(earlier.body))
    except DecryptionError:
        raise Conflict("The first request with this key was carried out; its answer cannot be read any more.") from None
