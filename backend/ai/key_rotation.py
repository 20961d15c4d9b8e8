"""Key rotation: encrypts stored values with the present `SECRET_KEY`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from backend.ai.models import AiProvider
from backend.encryption import DecryptionError, reencrypt
from backend.extensions import db
from backend.http.idempotency.models import IdempotencyKey

BATCH = 100
# All columns that `backend.encryption` writes.
ENCRYPTED: tuple[InstrumentedAttribute[bytes | None], ...] = (AiProvider.api_key_encrypted, IdempotencyKey.body)


@dataclass
class RotationCounts:
    """Counts of a rotation: values encrypted again, values under the present key, and values that no key can
    decrypt."""

    renewed: int = 0
    current: int = 0
    unreadable: int = 0


def rotate_keys(batch: int = BATCH) -> RotationCounts:
    """Encrypt all values with the present key. Commits each batch; may be interrupted and run again."""
    done = RotationCounts()
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
    # Locked, so that a concurrent change of a key by its owner is not overwritten.
    rows = select(model).where(column.is_not(None)).order_by(key).limit(batch).with_for_update()
    rows = rows if after is None else rows.where(key > tuple_(*after))
    return list(db.session.scalars(rows.execution_options(populate_existing=True)))


def _renew_row(column: InstrumentedAttribute[bytes | None], row: Any, done: RotationCounts) -> None:
    try:
        renewed = reencrypt(getattr(row, column.key))
    except DecryptionError:
        done.unreadable += 1
        return
    if renewed is None:
        done.current += 1
    else:
        setattr(row, column.key, renewed)
        done.renewed += 1
