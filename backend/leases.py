"""Leases on rows of background work: claim, renew, fence, settle, back off.

A claim puts off the time at which a row is due: work whose process dies is due again when the lease ends. What a claim
writes is the fencing token of all later writes: those of an earlier claim change nothing (Kleppmann, Designing
Data-Intensive Applications, 2017, chapter 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    BigInteger,
    ColumnElement,
    Row,
    SQLColumnExpression,
    TableValuedAlias,
    Update,
    and_,
    any_,
    column,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from backend.extensions import db

TIMES = TIMESTAMP(timezone=True)


def seconds_from_now(seconds: float) -> ColumnElement[datetime]:
    """Return the time so many seconds after the start of the transaction: the end of a lease or of a back-off."""
    return func.now() + timedelta(seconds=seconds)


def is_due(due_at: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that the time has come, which no lease or back-off puts off."""
    return due_at <= func.now()


def is_free(lease_until: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that nobody holds a lease, or that it has ended."""
    return or_(lease_until.is_(None), lease_until < func.now())


@dataclass(frozen=True)
class BackOff:
    """Delays in seconds, one after each failed attempt; after one attempt more the work has failed."""

    delays: tuple[float, ...]

    @classmethod
    def exponential(cls, first: float, *, attempts: int, factor: float = 4) -> BackOff:
        """Build delays that grow by a factor."""
        return cls(tuple(first * factor**number for number in range(attempts - 1)))

    @property
    def attempts(self) -> int:
        """The greatest number of attempts."""
        return len(self.delays) + 1

    def delay_after(self, attempt: int) -> float | None:
        """Return the delay after a failed attempt, counted from 1; None after the last one."""
        return self.delays[attempt - 1] if attempt <= len(self.delays) else None


def claim_attempt(attempts: InstrumentedAttribute[int], id_: UUID) -> Update:
    """Return the update that counts an attempt at a row: add the condition that it is due, and the lease.

    The number of attempts is the fencing token of `update_attempt`.
    """
    table: Any = attempts.class_
    return update(table).where(table.id == id_).values({attempts: attempts + 1})


def update_attempt(attempts: InstrumentedAttribute[int], id_: UUID, attempt: int) -> Update:
    """Return the update of a row that changes it only while no later attempt has been counted."""
    table: Any = attempts.class_
    return update(table).where(table.id == id_, attempts == attempt)


class DueRows:
    """Rows of a table that are claimed in batches: their due time is the fencing token, since an edit sets another.

    The table has columns `id` and `organization_id`.
    """

    def __init__(self, due_at: InstrumentedAttribute[datetime | None]) -> None:
        """Claim by this column."""
        self._table: Any = due_at.class_
        self._due_at = due_at

    def claim(
        self,
        *columns: SQLColumnExpression[Any],
        batch: int,
        lease_seconds: float,
        ids: Sequence[int] | None = None,
    ) -> Sequence[Row[Any]]:
        """Claim rows, the longest due first, and return their `id`, `claim` and these columns. Commits.

        Rows that another transaction has locked are passed over. With `ids` only these rows are claimed, if due.
        """
        due = aliased(self._table)
        due_at = getattr(due, self._due_at.key)
        rows = select(due.id).where(is_due(due_at)).order_by(due_at).limit(batch).with_for_update(skip_locked=True)
        if ids is not None:
            rows = rows.where(due.id == any_(literal(ids, ARRAY(BigInteger))))
        # A CTE chooses the rows once; a subquery of IN may run for each row, and choose others each time.
        batch_ids = rows.cte("batch").c.id
        claimed = self._update(self._table.id == batch_ids, seconds_from_now(lease_seconds))
        claims = db.session.execute(claimed.returning(self._table.id, self._due_at.label("claim"), *columns)).all()
        db.session.commit()
        return claims

    def lock(self, claims: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Lock the rows whose claims still hold, in the current transaction, and return these claims."""
        given = _given(claims)
        held = select(self._table.id).join(given, self._is_held(given)).order_by(self._table.id)
        ids = set(db.session.scalars(held.with_for_update(key_share=True, of=self._table)))
        return [claim for claim in claims if claim.id in ids]

    def complete(self, claims: Sequence[Row[Any]]) -> set[int]:
        """Mark the rows whose claims still hold as done, in the current transaction; return their organizations."""
        done = self._update(self._is_held(_given(claims)), None)
        return set(db.session.scalars(done.returning(self._table.organization_id)))

    @contextmanager
    def released_on_failure(self, claims: Sequence[Row[Any]], *, seconds: float) -> Iterator[None]:
        """Roll back when the block raises, and have the rows due again after some seconds."""
        try:
            yield
        except BaseException:
            db.session.rollback()
            ids = literal([claim.id for claim in claims], ARRAY(BigInteger))
            db.session.execute(self._update(self._table.id == any_(ids), seconds_from_now(seconds)))
            db.session.commit()
            raise

    def _update(self, condition: ColumnElement[bool], due_at: ColumnElement[datetime] | None) -> Update:
        statement = update(self._table).where(condition).values({self._due_at: due_at})
        return statement.execution_options(synchronize_session=False)

    def _is_held(self, given: TableValuedAlias) -> ColumnElement[bool]:
        return and_(self._table.id == given.c.id, self._due_at == given.c.claim)


def _given(claims: Sequence[Row[Any]]) -> TableValuedAlias:
    ids = literal([claim.id for claim in claims], ARRAY(BigInteger))
    times = literal([claim.claim for claim in claims], ARRAY(TIMES))
    given = func.unnest(ids, times).table_valued(column("id", BigInteger), column("claim", TIMES))
    return given.render_derived(name="given")
