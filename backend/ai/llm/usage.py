"""Usage and budgets of language models.

Tokens are reserved before a call and recorded after it, so that concurrent calls cannot exceed a cap together. A
reservation is an estimate and the record is the provider's count, so the last call before a cap may exceed it a little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, case, func, select, text
from sqlalchemy.dialects.postgresql import insert

from backend.ai.llm.faults import LlmFault
from backend.ai.models import LlmUsage
from backend.auth.models import User
from backend.clock import utc_now
from backend.extensions import current_settings, db

RECORD_USAGE = text("""
    INSERT INTO llm_usage (user_id, day, is_servers, calls, prompt_tokens, completion_tokens)
    SELECT id, :day, :is_servers, :calls, :prompt_tokens, :completion_tokens FROM users WHERE id = :user_id
       FOR KEY SHARE
    ON CONFLICT (user_id, day, is_servers) DO UPDATE
       SET calls = llm_usage.calls + excluded.calls,
           prompt_tokens = llm_usage.prompt_tokens + excluded.prompt_tokens,
           completion_tokens = llm_usage.completion_tokens + excluded.completion_tokens,
           reserved_tokens = greatest(llm_usage.reserved_tokens - :reserved_tokens, 0)
""")
RESERVED = case((LlmUsage.reserved_until > func.now(), LlmUsage.reserved_tokens), else_=0)


class BudgetExceeded(LlmFault):
    """The person has reached a cap on the server's model."""


@dataclass(frozen=True)
class Reservation:
    """Tokens reserved for a call, on the day it began. With a person's own provider none are reserved."""

    user_id: int
    is_servers: bool
    day: date
    tokens: int


@dataclass(frozen=True)
class Usage:
    """Usage of a day or month: calls, tokens, those that count against the cap, and when the period ends."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    server_tokens: int
    resets_at: datetime


def reserve_tokens(user_id: int, *, is_servers: bool, tokens: int, seconds: float) -> Reservation:
    """Reserve the tokens of a call; with the server's key only up to the caps. Commits.

    Args:
        user_id: who is charged.
        is_servers: whether the call uses the server's key.
        tokens: estimate for prompt and answer.
        seconds: the longest duration of the call; after it the reservation expires.

    Raises:
        BudgetExceeded: the call would exceed a cap; the reason names the cap and the end of its period.
    """
    today = utc_now().date()
    if not is_servers:
        return Reservation(user_id, False, today, 0)
    # The lock on the person's row serialises concurrent reservations, across midnight too.
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    fault = _spent_cap(user_id, tokens)
    if fault:
        db.session.rollback()
        raise BudgetExceeded(fault)
    until = func.now() + timedelta(seconds=seconds)
    values = {"reserved_tokens": tokens, "reserved_until": until}
    statement = insert(LlmUsage).values(user_id=user_id, day=today, is_servers=True, **values)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[LlmUsage.user_id, LlmUsage.day, LlmUsage.is_servers],
            set_={
                "reserved_tokens": RESERVED + tokens,
                "reserved_until": func.greatest(LlmUsage.reserved_until, until),
            },
        )
    )
    db.session.commit()
    return Reservation(user_id, True, today, tokens)


def record_usage(reserved: Reservation, *, calls: int, prompt_tokens: int, completion_tokens: int) -> None:
    """Replace a reservation by the usage of its call. Commits."""
    values = {"calls": calls, "prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    owner = {"user_id": reserved.user_id, "day": reserved.day, "is_servers": reserved.is_servers}
    db.session.execute(RECORD_USAGE, {**owner, **values, "reserved_tokens": reserved.tokens})
    db.session.commit()


def read_user_usage(user_id: int) -> tuple[Usage, Usage]:
    """Return a person's usage of today and of this month (UTC). One statement."""
    today = utc_now().date()
    tokens = LlmUsage.prompt_tokens + LlmUsage.completion_tokens + RESERVED
    rows = db.session.execute(
        select(
            LlmUsage.day,
            LlmUsage.calls,
            LlmUsage.prompt_tokens,
            LlmUsage.completion_tokens,
            case((LlmUsage.is_servers, tokens), else_=0).label("server_tokens"),
        ).where(LlmUsage.user_id == user_id, LlmUsage.day >= today.replace(day=1))
    ).all()
    of_today = [row for row in rows if row.day == today]
    return _sum(of_today, _end_of_day(today)), _sum(rows, _end_of_month(today))


def _end_of_day(day: date) -> datetime:
    """Return the beginning of the next day."""
    return _midnight(day + timedelta(days=1))


def _end_of_month(day: date) -> datetime:
    """Return the beginning of the next month."""
    return _midnight((day.replace(day=1) + timedelta(days=31)).replace(day=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _sum(rows: Sequence[Row[Any]], resets_at: datetime) -> Usage:
    counted = ("calls", "prompt_tokens", "completion_tokens", "server_tokens")
    return Usage(**{name: sum(getattr(row, name) for row in rows) for name in counted}, resets_at=resets_at)


def _spent_cap(user_id: int, tokens: int) -> str | None:
    settings = current_settings()
    today, month = read_user_usage(user_id)
    caps = (("a month", month, settings.LLM_MONTHLY_TOKENS), ("a day", today, settings.LLM_DAILY_TOKENS))
    for period, spent, most in caps:
        if spent.server_tokens + tokens > most:
            return (
                f"The server's language model does no more for you: of {most:,} tokens in {period} "
                f"{spent.server_tokens:,} are taken, and this would take up to {tokens:,}. It starts again on "
                f"{spent.resets_at:%Y-%m-%d} at 00:00 UTC. A language model of your own has no such bound."
            )
    return None
