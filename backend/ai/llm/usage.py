"""What is asked of language models for a person, and how much of the server's they may ask for.

Tokens are reserved before a call and settled after it, so that calls at once cannot get past a cap together. What is
reserved is an estimate; what is settled is what the provider counted, so that the last call before a cap may end a
little beyond it.
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

# Of a person who is gone by then nothing is kept.
SETTLE = text("""
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


class BudgetSpent(LlmFault):
    """The person may ask no more of the server's model for now."""


@dataclass(frozen=True)
class Reservation:
    """Tokens that a call may take, on the day on which it began. None are reserved with a person's own provider."""

    user_id: int
    is_servers: bool
    day: date
    tokens: int


@dataclass(frozen=True)
class Spent:
    """What was asked in a day or a month, until when that lasts, and what of it counts against the cap."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    server_tokens: int
    resets_at: datetime


def reserve(user_id: int, *, is_servers: bool, tokens: int, seconds: float) -> Reservation:
    """Reserve what a call may take; with the server's key only up to the caps. Commits.

    Args:
        user_id: for whom.
        is_servers: whether the server's key is used.
        tokens: of the question and the answer, estimated.
        seconds: after this the call has ended in any case.

    Raises:
        BudgetSpent: that would be more than a cap; the reason says which, and until when.
    """
    today = utc_now().date()
    if not is_servers:
        return Reservation(user_id, False, today, 0)
    # The person's row makes calls at once wait for each other here, across the end of a day too.
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    fault = _spent_cap(user_id, tokens)
    if fault:
        db.session.rollback()
        raise BudgetSpent(fault)
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


def settle(reserved: Reservation, *, calls: int, prompt_tokens: int, completion_tokens: int) -> None:
    """Write down what a call took in place of what was reserved for it. Commits."""
    values = {"calls": calls, "prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    owner = {"user_id": reserved.user_id, "day": reserved.day, "is_servers": reserved.is_servers}
    db.session.execute(SETTLE, {**owner, **values, "reserved_tokens": reserved.tokens})
    db.session.commit()


def read_spent(user_id: int) -> tuple[Spent, Spent]:
    """What was asked for a person today, and this month (UTC). One statement."""
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
    """When the next day begins."""
    return _midnight(day + timedelta(days=1))


def _end_of_month(day: date) -> datetime:
    """When the next month begins."""
    return _midnight((day.replace(day=1) + timedelta(days=31)).replace(day=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _sum(rows: Sequence[Row[Any]], resets_at: datetime) -> Spent:
    counted = ("calls", "prompt_tokens", "completion_tokens", "server_tokens")
    return Spent(**{name: sum(getattr(row, name) for row in rows) for name in counted}, resets_at=resets_at)


def _spent_cap(user_id: int, tokens: int) -> str | None:
    settings = current_settings()
    today, month = read_spent(user_id)
    caps = (("a month", month, settings.LLM_MONTHLY_TOKENS), ("a day", today, settings.LLM_DAILY_TOKENS))
    for period, spent, most in caps:
        if spent.server_tokens + tokens > most:
            return (
                f"The server's language model does no more for you: of {most:,} tokens in {period} "
                f"{spent.server_tokens:,} are taken, and this would take up to {tokens:,}. It begins anew on "
                f"{spent.resets_at:%Y-%m-%d} at 00:00 UTC. A language model of your own has no such bound."
            )
    return None
