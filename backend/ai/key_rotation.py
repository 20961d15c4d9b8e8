"""Moving what is stored encrypted to the present `SECRET_KEY`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from backend.ai.models import AiProvider
from backend.encryption import Undecryptable, renew
from backend.extensions import db

BATCH = 100


@dataclass
class Rotation:
    """How many keys were encrypted anew, how many were already, and how many no key of the settings can read."""

    renewed: int = 0
    current: int = 0
    unreadable: int = 0


def rotate_keys(batch: int = BATCH) -> Rotation:
    """Encrypt everything with the present key, committing batch by batch; may be broken off and run again."""
    done, last = Rotation(), 0
    while rows := _next_rows(last, batch):
        for row in rows:
            _renew_row(row, done)
        last = rows[-1].user_id
        db.session.commit()
    return done


def _next_rows(after: int, batch: int) -> list[AiProvider]:
    # Locked, so that a key which its owner is changing at this moment is not put back.
    return list(
        db.session.scalars(
            select(AiProvider)
            .where(AiProvider.user_id > after, AiProvider.api_key_encrypted.is_not(None))
            .order_by(AiProvider.user_id)
            .limit(batch)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _renew_row(row: AiProvider, done: Rotation) -> None:
    try:
        renewed = renew(row.api_key_encrypted or b"")
    except Undecryptable:
        done.unreadable += 1
        return
    if renewed is None:
        done.current += 1
    else:
        row.api_key_encrypted = renewed
        done.renewed += 1
