"""What is asked for a person is written down, and no more of the server's than the caps allow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import text

from backend.ai.llm import usage
from backend.ai.llm.usage import BudgetExceeded, read_user_usage, record_usage, reserve_tokens
from backend.extensions import db
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


@pytest.fixture
def capped(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A thousand tokens a day, and fifteen hundred a month."""
    caps = {"LLM_DAILY_TOKENS": 1_000, "LLM_MONTHLY_TOKENS": 1_500}
    monkeypatch.setitem(context.extensions, "settings", context.extensions["settings"].model_copy(update=caps))
    return context


def set_clock(monkeypatch: pytest.MonkeyPatch, *moment: int) -> None:
    monkeypatch.setattr(usage, "utc_now", lambda: datetime(*moment, tzinfo=UTC))  # type: ignore[misc,arg-type]


def use(person: Api, tokens: int, *, is_servers: bool = True) -> None:
    """A call that takes so many."""
    record_usage(
        reserve_tokens(person.user_id, is_servers=is_servers, tokens=tokens, seconds=60),
        calls=1,
        prompt_tokens=tokens - 1,
        completion_tokens=1,
    )


def refusal(person: Api, tokens: int) -> str:
    with pytest.raises(BudgetExceeded) as caught:
        reserve_tokens(person.user_id, is_servers=True, tokens=tokens, seconds=60)
    return caught.value.reason


def test_calls_add_up_for_the_day_and_the_month(
    ada: Api, bob: Api, capped: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, 2026, 1, 31, 12)
    use(ada, 500)
    set_clock(monkeypatch, 2026, 2, 1, 0)
    use(ada, 300)
    use(ada, 10_000, is_servers=False)
    set_clock(monkeypatch, 2026, 2, 3, 23)
    use(ada, 200)
    today, month = read_user_usage(ada.user_id)
    assert (today.calls, today.prompt_tokens, today.completion_tokens, today.server_tokens) == (1, 199, 1, 200)
    assert (month.calls, month.prompt_tokens, month.completion_tokens, month.server_tokens) == (3, 10_497, 3, 500)
    assert (today.resets_at, month.resets_at) == (datetime(2026, 2, 4, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    assert read_user_usage(bob.user_id)[1].calls == 0


def test_the_cap_of_a_day_is_named_with_its_end(
    ada: Api, bob: Api, capped: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, 2026, 12, 31, 12)
    use(ada, 900)
    told = refusal(ada, 101)
    for words in ("of 1,000 tokens in a day 900 are taken", "up to 101", "2027-01-01 at 00:00 UTC"):
        assert words in told
    use(ada, 100)
    use(bob, 1_000)
    use(ada, 50_000, is_servers=False)
    set_clock(monkeypatch, 2027, 1, 1, 0)
    use(ada, 1_000)


def test_the_cap_of_a_month_is_named_with_its_end(ada: Api, capped: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, 2026, 2, 27, 12)
    use(ada, 800)
    set_clock(monkeypatch, 2026, 2, 28, 12)
    use(ada, 700)
    told = refusal(ada, 1)
    for words in ("of 1,500 tokens in a month 1,500 are taken", "2026-03-01 at 00:00 UTC"):
        assert words in told
    set_clock(monkeypatch, 2026, 3, 1, 0)
    use(ada, 1)


def test_calls_at_once_do_not_get_past_a_cap_together(ada: Api, capped: Flask) -> None:
    def try_it(_: int) -> bool:
        with capped.app_context():
            try:
                reserve_tokens(ada.user_id, is_servers=True, tokens=300, seconds=60)
            except BudgetExceeded:
                return False
            finally:
                db.session.remove()
            return True

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(try_it, range(10))) == [*[False] * 7, *[True] * 3]
    assert read_user_usage(ada.user_id)[0].server_tokens == 900


def test_what_was_reserved_is_given_back_when_it_is_settled(ada: Api, capped: Flask) -> None:
    first, second = (reserve_tokens(ada.user_id, is_servers=True, tokens=500, seconds=60) for _ in range(2))
    refusal(ada, 1)
    record_usage(first, calls=1, prompt_tokens=30, completion_tokens=5)
    record_usage(second, calls=0, prompt_tokens=0, completion_tokens=0)
    assert read_user_usage(ada.user_id)[0].server_tokens == 35
    use(ada, 965)


def test_what_a_killed_worker_had_reserved_counts_no_longer_once_its_time_is_over(ada: Api, capped: Flask) -> None:
    reserve_tokens(ada.user_id, is_servers=True, tokens=1_000, seconds=60)
    refusal(ada, 1)
    db.session.execute(text("UPDATE llm_usage SET reserved_until = now() - interval '1 second'"))
    db.session.commit()
    assert read_user_usage(ada.user_id)[0].server_tokens == 0
    kept = reserve_tokens(ada.user_id, is_servers=True, tokens=600, seconds=60)
    refusal(ada, 401)
    record_usage(kept, calls=1, prompt_tokens=1, completion_tokens=1)
    assert db.session.scalar(text("SELECT reserved_tokens FROM llm_usage")) == 0


def test_of_a_person_who_is_gone_nothing_is_kept(ada: Api, capped: Flask) -> None:
    reserved = reserve_tokens(ada.user_id, is_servers=False, tokens=1, seconds=60)
    db.session.execute(text("DELETE FROM users"))
    db.session.commit()
    record_usage(reserved, calls=1, prompt_tokens=1, completion_tokens=1)
    assert db.session.scalar(text("SELECT count(*) FROM llm_usage")) == 0
