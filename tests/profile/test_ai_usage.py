"""/profile/ai/usage: what language models were asked for the person."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from backend.ai.llm.usage import record_usage, reserve_tokens
from backend.clock import utc_now
from backend.extensions import db
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def test_it_says_which_model_answers_what_was_asked_and_what_is_left(
    ada: Api, bob: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "server_tokens": 0}
    before = ada.get("/profile/ai/usage").json
    assert (before["provider"], before["model"]) == (None, None)
    assert before["caps"] == {"daily_tokens": 200_000, "monthly_tokens": 2_000_000}
    assert before["today"] == {**nothing, "resets_at": before["today"]["resets_at"]}
    change = {"LLM_BASE_URL": "https://llm.example.org/v1", "LLM_MODEL": "large", "LLM_DAILY_TOKENS": 10_000}
    monkeypatch.setitem(context.extensions, "settings", context.extensions["settings"].model_copy(update=change))
    done = reserve_tokens(ada.user_id, is_servers=True, tokens=500, seconds=60)
    record_usage(done, calls=2, prompt_tokens=300, completion_tokens=40)
    reserve_tokens(ada.user_id, is_servers=True, tokens=1_000, seconds=60)
    shown = ada.get("/profile/ai/usage").json
    assert (shown["provider"], shown["model"], shown["caps"]["daily_tokens"]) == ("server", "large", 10_000)
    for period in ("today", "month"):
        counted = {"calls": 2, "prompt_tokens": 300, "completion_tokens": 40, "server_tokens": 1_340}
        assert shown[period] == {**counted, "resets_at": shown[period]["resets_at"]}
    assert shown["today"]["resets_at"].endswith("T00:00:00Z")
    assert shown["today"]["resets_at"] > utc_now().isoformat()
    assert bob.get("/profile/ai/usage").json["month"]["calls"] == 0


def test_ones_own_provider_comes_first(ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    change = {"LLM_BASE_URL": "https://llm.example.org/v1", "LLM_MODEL": "large"}
    monkeypatch.setitem(context.extensions, "settings", context.extensions["settings"].model_copy(update=change))
    ada.put("/profile/ai", {"base_url": "https://api.example.org/v1", "model": "small", "api_key": "sk-something-1234"})
    # Also where its key cannot be read any more.
    db.session.execute(text("UPDATE ai_providers SET api_key_encrypted = 'rubbish'"))
    db.session.commit()
    shown = ada.get("/profile/ai/usage").json
    assert (shown["provider"], shown["model"]) == ("own", "small")
    assert "sk-" not in str(shown)


def test_reading_it_takes_two_statements(ada: Api, sql: SqlCounter) -> None:
    ada.get("/profile")
    with sql.at_most(2):
        assert ada.get("/profile/ai/usage").status_code == 200
