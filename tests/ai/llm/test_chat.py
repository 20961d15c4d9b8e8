"""The chat with an endpoint: against a local server that speaks OpenAI's protocol, faults included."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from backend.ai.credentials import Credentials
from backend.ai.llm.chat import Chat
from backend.ai.llm.faults import EndpointFault, LlmFault, format_duration
from backend.outbound.deadline import Deadline
from backend.outbound.exchange import NetworkPolicy
from tests.capture.fetching import within
from tests.support.llm_server import LlmServer, Reply, running, said

pytestmark = pytest.mark.integration
KEY = "sk-a-secret-key-1234"
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
HELLO = [{"role": "user", "content": "Hello"}]
HERE = NetworkPolicy([ip_network("127.0.0.1")])


@pytest.fixture
def llm() -> Iterator[LlmServer]:
    with running() as server:
        yield server


def chat(base_url: str, *, seconds: float = 20, key: str | None = KEY, reach: NetworkPolicy = HERE) -> Chat:
    return Chat(Credentials(base_url, "small", key), SCHEMA, 500, reach, Deadline(seconds))


def fault(talk: Chat) -> LlmFault:
    """How asking fails: in a sentence of our own, without the key, in whatever is written of it."""
    with pytest.raises(LlmFault) as caught:
        talk.ask(HELLO)
    reason = caught.value.reason
    assert reason[0].isupper()
    assert reason.endswith(".")
    assert KEY not in "".join(traceback.format_exception(caught.value))
    return caught.value


def refusing(*words: str, status: int = 400, **error: Any) -> Any:
    """What an endpoint does that does not take bodies with one of the words."""

    def refuses(body: Any) -> Reply | None:
        known = next((word for word in words if word in str(body)), None)
        return (status, {"error": {"message": f"{known} is not supported", **error}}, {}) if known else None

    return refuses


def test_it_asks_for_the_schema_with_the_key_and_nothing_of_this_machine(
    llm: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-the-operator")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: of-the-operator")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    llm.will_say("Hi", usage=(7, 3))
    reply = chat(llm.base_url).ask(HELLO)
    assert (reply.text, reply.is_cut, reply.prompt_tokens, reply.completion_tokens) == ("Hi", False, 7, 3)
    [(path, headers, body)] = llm.asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert "of-the-operator" not in str(headers)
    assert not [name for name in headers if name.lower().startswith(("x-", "openai", "idempotency"))]
    assert body == {
        "model": "small",
        "messages": HELLO,
        "max_tokens": 500,
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}},
    }


def test_without_a_key_none_is_sent(llm: LlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-the-operator")
    chat(llm.base_url + "/", key=None).ask(HELLO)
    [(path, headers, _)] = llm.asked
    assert path == "/v1/chat/completions"
    assert "Authorization" not in headers


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("unknown", "formats"),
    [
        (["json_schema"], ["json_schema", "json_object"]),
        (["response_format"], ["json_schema", "json_object", None]),
    ],
)
def test_what_an_endpoint_does_not_take_is_said_more_plainly_and_remembered(
    llm: LlmServer, status: int, unknown: list[str], formats: list[str | None]
) -> None:
    llm.refuses = refusing(*unknown, status=status)
    talk = chat(llm.base_url)
    assert talk.ask(HELLO).text == "Hi"
    talk.ask(HELLO)
    told = [body.get("response_format", {}).get("type") for _, _, body in llm.asked]
    assert told == [*formats, formats[-1]]


def test_a_model_that_wants_the_newer_name_of_the_limit_gets_it(llm: LlmServer) -> None:
    def refuses(body: Any) -> Reply | None:
        message = "Use 'max_completion_tokens' instead."
        return (400, {"error": {"message": message}}, {}) if "max_tokens" in body else None

    llm.refuses = refuses
    assert chat(llm.base_url).ask(HELLO).text == "Hi"
    [_, (_, _, body)] = llm.asked
    assert body["max_completion_tokens"] == 500
    assert body["response_format"]["type"] == "json_schema"


def test_where_nothing_is_taken_that_is_told(llm: LlmServer) -> None:
    llm.refuses = refusing("small", param=KEY)
    found = fault(chat(llm.base_url))
    assert "(400)" in found.reason
    assert not isinstance(found, EndpointFault)
    assert len(llm.asked) == 3


@pytest.mark.parametrize(
    ("status", "body", "words", "is_trouble"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}, "does not take the key (401)", False),
        (402, {}, "(402)", False),
        (403, {}, "(403)", False),
        (404, "not found", "(404)", False),
        (418, {}, "(418)", False),
        (429, {"error": {"code": "insufficient_quota"}}, "credit", False),
        (500, {"error": {"message": KEY}}, "trouble of its own (500)", True),
        (501, {}, "(501)", True),
        (503, "<html>", "(503)", True),
        (200, "<html>", "OpenAI-compatible", False),
        (200, [], "OpenAI-compatible", False),
        (200, {"error": {"message": "upstream"}}, "OpenAI-compatible", False),
        (200, {"choices": []}, "OpenAI-compatible", False),
        (200, {"choices": [{"message": None}]}, "OpenAI-compatible", False),
        (200, "x" * 2_000_000, "OpenAI-compatible", False),
        (302, "", "redirects (302)", False),
    ],
)
def test_what_went_wrong_is_said_in_our_own_words(
    llm: LlmServer, status: int, body: Any, words: str, is_trouble: bool
) -> None:
    llm.replies[:] = [(status, body, {"Location": f"{llm.base_url}/elsewhere"} if status == 302 else {})]
    found = fault(chat(llm.base_url, seconds=6))
    assert words in found.reason
    assert isinstance(found, EndpointFault) is is_trouble
    assert {path for path, _, _ in llm.asked} == {"/v1/chat/completions"}


@pytest.mark.parametrize(
    "answer",
    [
        said(None, refusal="I cannot help with that."),
        said("Half of it", finish="content_filter"),
        (400, {"error": {"code": "content_filter", "message": KEY}}),
    ],
)
def test_a_refusal_is_known_as_one(llm: LlmServer, answer: Any) -> None:
    llm.replies[:] = [(*answer, {}) if isinstance(answer, tuple) else (200, answer, {})]
    found = fault(chat(llm.base_url))
    assert "declines" in found.reason
    assert len(llm.asked) == 1


def test_an_answer_that_ran_out_of_tokens_is_known_as_cut(llm: LlmServer) -> None:
    llm.will_say(None, finish="length", usage=None)
    reply = chat(llm.base_url).ask(HELLO)
    assert (reply.text, reply.is_cut, reply.prompt_tokens, reply.completion_tokens) == ("", True, None, None)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("header", [{"Retry_After": "1"}, {}])
def test_a_busy_endpoint_is_asked_again_after_the_wait_that_it_wants(
    llm: LlmServer, status: int, header: dict[str, str]
) -> None:
    llm.will_answer(status, {}, **header)
    llm.will_say("Hi")
    assert chat(llm.base_url).ask(HELLO).text == "Hi"
    assert len(llm.asked) == 2


@pytest.mark.parametrize(
    ("wait", "words"), [("120", "wait for 2 minutes"), ("3601", "wait for 2 hours"), ("99999999", "wait for 24 hours")]
)
def test_a_longer_wait_than_there_is_time_for_is_told(llm: LlmServer, wait: str, words: str) -> None:
    llm.will_answer(429, {}, Retry_After=wait)
    with within(3):
        found = fault(chat(llm.base_url))
    assert words in found.reason
    assert not isinstance(found, EndpointFault)
    assert len(llm.asked) == 1


def test_it_waits_twice_at_most(llm: LlmServer) -> None:
    llm.replies[:] = [(429, {}, {"Retry_After": "1"})]
    assert "(429)" in fault(chat(llm.base_url)).reason
    assert len(llm.asked) == 3


def test_an_endpoint_that_takes_too_long_is_given_up_in_time(llm: LlmServer) -> None:
    llm.delay = 10
    with within(3):
        found = fault(chat(llm.base_url, seconds=0.5))
    assert "in time" in found.reason
    assert isinstance(found, EndpointFault)
    assert found.is_charged


def test_an_address_where_nothing_listens_is_told() -> None:
    with running() as gone:
        address = gone.base_url
    found = fault(chat(address))
    assert "not reached" in found.reason
    assert isinstance(found, EndpointFault)
    assert not found.is_charged


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"])
def test_a_name_that_stands_for_a_private_address_is_not_connected_to(address: str) -> None:
    found = fault(chat("http://llm.example.org/v1", reach=NetworkPolicy(HERE.allowed, lambda host: [address])))
    assert "public internet" in found.reason
    assert not isinstance(found, EndpointFault)


def test_the_package_writes_no_key_and_no_text_into_logs(llm: LlmServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        chat(llm.base_url).ask([{"role": "user", "content": "a-private-text"}])
        llm.replies[:] = [(401, {"error": {"message": KEY}}, {})]
        fault(chat(llm.base_url))
    assert KEY not in caplog.text
    assert "a-private-text" not in caplog.text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 second"), (1, "1 second"), (1.2, "2 seconds"), (60, "60 seconds"), (61, "2 minutes"), (90_000, "2 days")],
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words
