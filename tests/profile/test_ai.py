"""/profile/ai: the person's own LLM provider (R-AUTH 9, DESIGN 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.ai.credentials import Credentials
from backend.ai.models import AiProvider
from backend.encryption import decrypt
from backend.extensions import db
from backend.profile import jobs
from backend.profile.ai.check import check_provider
from tests.support.api import Api, field_errors
from tests.support.llm_server import LlmServer, running
from tests.support.logged import logged
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
KEY = "sk-a-secret-key-1234"
OPENAI = {"base_url": "https://api.openai.com/v1", "model": "gpt-5-mini", "api_key": KEY}


@pytest.fixture
def llm() -> Iterator[LlmServer]:
    """A provider at the one private address that the operator allows."""
    with running() as server:
        yield server


def check(person: Api) -> dict[str, Any]:
    """Ask for a test, have a worker do it; the job."""
    queued = person.post("/profile/ai/test")
    assert queued.status_code == 202
    assert queued.headers["Location"] == f"/api/v1/jobs/{queued.json['id']}"
    with person.app.app_context():
        jobs.run_ai_test(queued.json["id"])
    done: dict[str, Any] = person.get(f"/jobs/{queued.json['id']}").json
    return done


def test_without_a_provider_there_is_nothing_to_read_test_or_delete(ada: Api) -> None:
    assert ada.get("/profile/ai").status_code == 404
    assert ada.post("/profile/ai/test").status_code == 404
    assert ada.request("DELETE", "/profile/ai").status_code == 404


def test_a_provider_is_set_shown_without_its_key_and_forgotten(ada: Api, bob: Api) -> None:
    answer = ada.put("/profile/ai", OPENAI)
    assert answer.status_code == 200
    assert answer.json["updated_at"].endswith("Z")
    assert {**answer.json, "updated_at": ""} == {
        "base_url": OPENAI["base_url"],
        "model": "gpt-5-mini",
        "has_api_key": True,
        "api_key_hint": "…1234",
        "updated_at": "",
    }
    assert ada.get("/profile/ai").json == answer.json
    assert bob.get("/profile/ai").status_code == 404
    assert ada.delete("/profile/ai").status_code == 204
    assert ada.get("/profile/ai").status_code == 404


def test_a_short_key_has_no_hint(ada: Api) -> None:
    shown = ada.put("/profile/ai", {**OPENAI, "api_key": "sk-12345678"}).json
    assert (shown["has_api_key"], shown["api_key_hint"]) == (True, None)
    keyless = {"base_url": "https://llm.example.org/v1", "model": "m"}
    ada.delete("/profile/ai")
    assert ada.put("/profile/ai", keyless).json["has_api_key"] is False


def test_a_key_that_is_left_out_stays(ada: Api, context: Flask) -> None:
    ada.put("/profile/ai", OPENAI)
    changed = ada.put("/profile/ai", {"base_url": "https://API.openai.com:443/v2", "model": "other"})
    assert changed.status_code == 200, changed.json
    assert (changed.json["model"], changed.json["api_key_hint"]) == ("other", "…1234")
    assert decrypt(db.session.get_one(AiProvider, ada.user_id).api_key_encrypted) == KEY


@pytest.mark.parametrize(
    "base_url", ["https://evil.example.org/v1", "http://api.openai.com/v1", "https://api.openai.com:8443/v1"]
)
def test_a_stored_key_is_not_taken_to_another_server(ada: Api, base_url: str) -> None:
    ada.put("/profile/ai", OPENAI)
    refused = ada.put("/profile/ai", {"base_url": base_url, "model": "m"})
    assert field_errors(refused) == {"body.api_key": "api_key_required"}
    assert ada.get("/profile/ai").json["base_url"] == OPENAI["base_url"]
    assert ada.put("/profile/ai", {"base_url": base_url, "model": "m", "api_key": KEY}).status_code == 200


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"base_url": "ftp://example.org/v1"}, {"body.base_url": "base_url"}),
        ({"base_url": "https://me:secret@example.org/v1"}, {"body.base_url": "base_url"}),
        ({"base_url": "https://example.org/v1?key=1"}, {"body.base_url": "base_url"}),
        ({"base_url": "no address"}, {"body.base_url": "base_url"}),
        ({"base_url": "http://10.0.0.1/v1"}, {"body.base_url": "private_address"}),
        ({"base_url": "http://127.0.0.2/v1"}, {"body.base_url": "private_address"}),
        ({"base_url": "http://169.254.169.254/latest"}, {"body.base_url": "private_address"}),
        ({"base_url": "http://[::1]:8000/v1"}, {"body.base_url": "private_address"}),
        ({"base_url": "http://0x7f.0.0.2/v1"}, {"body.base_url": "private_address"}),
        ({"base_url": ""}, {"body.base_url": "too_short"}),
        ({"model": ""}, {"body.model": "string_too_short"}),
        ({"api_key": "with space"}, {"body.api_key": "string_pattern_mismatch"}),
        ({"api_key": "line\nbreak"}, {"body.api_key": "string_pattern_mismatch"}),
        ({"api_key": None}, {"body.api_key": "value_error"}),
    ],
)
def test_what_cannot_be_used_is_refused(ada: Api, change: dict[str, Any], errors: dict[str, str]) -> None:
    assert field_errors(ada.put("/profile/ai", {**OPENAI, **change})) == errors
    assert ada.get("/profile/ai").status_code == 404


def test_the_test_asks_for_one_token_with_the_key(ada: Api, llm: LlmServer) -> None:
    ada.put("/profile/ai", {"base_url": llm.base_url + "/", "model": "small", "api_key": KEY})
    job = check(ada)
    assert job["status"] == "succeeded"
    assert job["result"]["ok"] is True
    assert job["result"]["latency_ms"] >= 0
    [(path, headers, body)] = llm.asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["max_tokens"]) == ("small", 1)


def test_without_a_key_none_is_sent(ada: Api, llm: LlmServer) -> None:
    ada.put("/profile/ai", {"base_url": llm.base_url, "model": "small"})
    assert check(ada)["result"]["ok"] is True
    assert "Authorization" not in llm.asked[0][1]


def test_a_model_that_wants_the_newer_name_of_the_limit_gets_it(ada: Api, llm: LlmServer) -> None:
    llm.replies.insert(0, (400, {"error": {"message": "Use 'max_completion_tokens' instead."}}, {}))
    ada.put("/profile/ai", {"base_url": llm.base_url, "model": "newer"})
    assert check(ada)["result"]["ok"] is True
    assert "max_tokens" not in llm.asked[1][2]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": f"bad key {KEY}"}, "(401)"),
        (404, {}, "(404)"),
        (418, {}, "(418)"),
        (429, {}, "(429)"),
        (503, {}, "(503)"),
        (200, "<html>", "OpenAI-compatible"),
        (200, [], "OpenAI-compatible"),
        (200, {"models": []}, "OpenAI-compatible"),
    ],
)
def test_what_went_wrong_is_said_in_our_own_words(ada: Api, llm: LlmServer, status: int, body: Any, words: str) -> None:
    llm.replies[:] = [(status, body, {})]
    ada.put("/profile/ai", {"base_url": llm.base_url, "model": "m", "api_key": KEY})
    job = check(ada)
    assert job["status"] == "succeeded"
    assert job["result"]["ok"] is False
    assert words in job["result"]["detail"]
    assert KEY not in json.dumps(job)


def test_a_redirect_is_not_followed(ada: Api, llm: LlmServer) -> None:
    llm.replies[:] = [(307, "", {"Location": f"{llm.base_url}/elsewhere"})]
    ada.put("/profile/ai", {"base_url": llm.base_url, "model": "m", "api_key": KEY})
    assert "redirects" in check(ada)["result"]["detail"]
    assert len(llm.asked) == 1


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"])
def test_a_name_that_stands_for_a_private_address_is_not_connected_to(llm: LlmServer, address: str) -> None:
    credentials = Credentials("http://llm.example.org/v1", "m", KEY)
    outcome = check_provider(credentials, [], lambda host: [address])
    assert outcome.ok is False
    assert "public internet" in outcome.detail


def test_the_connection_goes_to_the_address_that_was_checked(llm: LlmServer, context: Flask) -> None:
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    networks = context.extensions["settings"].AI_ALLOWED_NETWORKS
    url = f"http://llm.example.org:{llm.server_address[1]}/v1"
    assert check_provider(Credentials(url, "m", None), networks, resolve).ok is True
    assert asked == ["llm.example.org"]


def test_an_address_where_nothing_listens_is_told(ada: Api, llm: LlmServer) -> None:
    with running() as gone:
        address = gone.base_url
    ada.put("/profile/ai", {"base_url": address, "model": "m"})
    assert check(ada)["result"]["ok"] is False


def test_a_key_of_a_lost_secret_is_told(ada: Api, llm: LlmServer, context: Flask) -> None:
    ada.put("/profile/ai", {"base_url": llm.base_url, "model": "m", "api_key": KEY})
    db.session.execute(text("UPDATE ai_providers SET api_key_encrypted = 'rubbish'"))
    db.session.commit()
    assert "decrypted" in check(ada)["result"]["detail"]
    assert llm.asked == []


def test_no_key_is_in_an_answer_a_log_an_event_or_in_the_clear_in_a_table(ada: Api, llm: LlmServer) -> None:
    """R-LOG 5."""
    answers = []
    with logged() as lines:
        answers.append(ada.put("/profile/ai", {"base_url": llm.base_url, "model": "m", "api_key": KEY}))
        answers.append(ada.get("/profile/ai"))
        llm.replies[:] = [(401, {"error": KEY}, {})]
        check(ada)
        answers.append(ada.put("/profile/ai", {"base_url": "ftp://x", "model": "m", "api_key": KEY}))
        answers.append(ada.put("/profile/ai", {"base_url": llm.base_url, "model": 7, "api_key": KEY + " "}))
        answers.append(ada.delete("/profile/ai"))
        answers.append(ada.get("/profile/security-events"))
        answers.append(ada.get("/jobs"))
    assert lines
    assert KEY not in "".join(lines)
    assert not [answer for answer in answers if KEY in answer.get_data(as_text=True)]
    assert KEY not in repr(Credentials("x", "y", KEY))


def test_changes_leave_events(ada: Api) -> None:
    ada.put("/profile/ai", OPENAI)
    ada.delete("/profile/ai")
    events = ada.get("/profile/security-events").json["items"]
    assert [(event["kind"], event["detail"]["action"]) for event in events] == [
        ("ai_key_changed", "deleted"),
        ("ai_key_changed", "set"),
    ]


def test_reading_and_setting_take_few_statements(ada: Api, sql: SqlCounter) -> None:
    # One of them asks, with the account held, whether the session goes on.
    with sql.at_most(6):
        ada.put("/profile/ai", OPENAI)
    with sql.at_most(2):
        ada.get("/profile/ai")
