"""Moving what is stored encrypted to the present `SECRET_KEY`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from backend.ai.models import AiProvider
from backend.encryption import Undecryptable, renew
from backend.extensions import db
from backend.http.idempotency.models import IdempotencyKey

BATCH = 100
# Every column that `backend.encryption` writes.
ENCRYPTED: tuple[InstrumentedAttribute[bytes | None], ...] = (AiProvider.api_key_encrypted, IdempotencyKey.body)


@dataclass
class Rotation:
    """How many values were encrypted anew, how many were already, and how many no key of the settings can read."""

    renewed: int = 0
    current: int = 0
    unreadable: int = 0


def rotate_keys(batch: int = BATCH) -> Rotation:
    """Encrypt everything with the present key, committing batch by batch; may be broken off and run again."""
    done = Rotation()
    for column in ENCRYPTED:
        last: tuple[Any, ...] | None = None
        while rows := _next_rows(column, last, batch):
            for row in rows:
                _renew_row(column, row, done)
            last = inspect(rows[-1]).identity
            db.session.commit()
    return done


def _next_rows(column: InstrumentedAttribute[bytes | None], after: tuple[Any, ...] | None, batch: int) -> list[Any]:
    model = column.class_
    key = tuple_(*inspect(model).primary_key)
    # Locked, so that a key which its owner is changing at this moment is not put back.
    rows = select(model).where(column.is_not(None)).order_by(key).limit(batch).with_for_update()
    rows = rows if after is None else rows.where(key > tuple_(*after))
    return list(db.session.scalars(rows.execution_options(populate_existing=True)))


def _renew_row(column: InstrumentedAttribute[bytes | None], row: Any, done: Rotation) -> None:
    try:
        renewed = renew(getattr(row, column.key))
    except Undecryptable:
        done.unreadable += 1
        return
    if renewed is None:
        done.current += 1
    else:
        setattr(row, column.key, renewed)
        done.renewed += 1
