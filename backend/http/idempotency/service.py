"""Doing once what is asked for twice.

The first request with a key claims a row, which is committed before the work begins; the transaction of the work marks
it; the answer is stored after. So a repetition while the first still runs is refused, one after it gets the stored
answer, one after a crash before the commit does the work, and one after a crash between commit and answer is told so.
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

KEPT_HOURS = 24
# Longer than any request may run.
LEASE_SECONDS = 90
# Where a session keeps the attempt whose work it is about to commit.
WORKING = "idempotency_attempt"
PURGE = text("""
    DELETE FROM idempotency_keys WHERE (user_id, path, key) IN (
        SELECT user_id, path, key FROM idempotency_keys
         WHERE created_at < now() - make_interval(hours => :hours) LIMIT 1000)
""")


@dataclass(frozen=True)
class IdempotentAttempt:
    """A try at a request: whose, what for, the caller's name for it, and which of several tries."""

    user_id: int
    path: str
    key: str
    id: UUID

    @property
    def row(self) -> ColumnElement[bool]:
        """The row that this attempt has claimed, as long as it holds it."""
        return and_(
            IdempotencyKey.user_id == self.user_id,
            IdempotencyKey.path == self.path,
            IdempotencyKey.key == self.key,
            IdempotencyKey.attempt == self.id,
        )


@dataclass(frozen=True)
class Replay:
    """The answer that the first request got."""

    status: int
    headers: Mapping[str, str]
    body: str


def claim(user_id: int, path: str, key: str, body_hash: bytes) -> IdempotentAttempt | Replay:
    """Begin the work, or the answer of whoever did it. Commits; two statements at most.

    Args:
        user_id: Who asks.
        path: What for.
        key: The caller's name for this request.
        body_hash: Of all that makes it this request and no other.

    Raises:
        Invalid: the key was used for another request.
        Conflict: the first request still runs, or its answer was lost.
    """
    db.session.info.pop(WORKING, None)
    attempt = IdempotentAttempt(user_id, path, key, uuid4())
    row = IdempotencyKey.__table__.c
    free = or_(
        row.created_at < func.now() - text(f"interval '{KEPT_HOURS} hours'"),
        # Whoever worked on it has died before anything was done.
        (row.body_hash == body_hash) & row.status.is_(None) & ~row.is_committed & (row.claimed_until < func.now()),
    )
    values = {
        "body_hash": body_hash,
        "attempt": attempt.id,
        "claimed_until": func.now() + text(f"interval '{LEASE_SECONDS} seconds'"),
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
    """Keep the answer for whoever asks again. Commits."""
    db.session.info.pop(WORKING, None)
    db.session.execute(
        update(IdempotencyKey).where(attempt.row).values(status=status, headers=dict(headers), body=encrypt(body))
    )
    db.session.commit()


def release(attempt: IdempotentAttempt) -> None:
    """Let the request be tried again, unless its work is done. Commits."""
    db.session.info.pop(WORKING, None)
    db.session.rollback()
    db.session.execute(delete(IdempotencyKey).where(attempt.row, IdempotencyKey.is_committed.is_(False)))
    db.session.commit()


def delete_responses(user_id: int, path: str) -> None:
    """Forget what a person was answered at a path and below it, in the transaction at hand that takes a right from
    them: the same request sent again is refused as any other, and not given the answer of before."""
    here = or_(IdempotencyKey.path == path, IdempotencyKey.path.startswith(f"{path}/", autoescape=True))
    db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.user_id == user_id, here))


def purge() -> None:
    """Delete what is older than a day."""
    for _ in execute_in_batches(PURGE, {"hours": KEPT_HOURS}):
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
