"""A chat with an OpenAI-compatible endpoint: what it does not take is said more plainly, and if it asks, one waits.

Imported where a question is asked, not before: the package takes half a second.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import httpx2
import orjson
from openai import APIStatusError, OpenAI, OpenAIError
from pydantic import BaseModel, Field, ValidationError

from backend.ai.credentials import Credentials
from backend.ai.llm.budgeted_client import Message, Reply
from backend.ai.llm.faults import NOT_A_CHAT, EndpointFault, LlmFault, in_words, meaning_of
from backend.outbound.deadline import Deadline
from backend.outbound.exchange import Reach, post_json
from backend.outbound.failures import FetchError, TookTooLong, parse_retry_after

# Endpoints that do not take a field say 400, or 422 as Mistral's does.
NOT_TAKEN = (400, 422)
# The chat templates of some models have no system role, as Gemma's. llama.cpp says 500 then, others 400 or 422.
ROLE_REFUSED = (*NOT_TAKEN, 500)
NAMES_ROLE = re.compile(
    rb"\brole|system[ _-]?(?:role|message|prompt|instruction)|developer[ _-]?(?:role|message|instruction)", re.I
)
# Asked again where the endpoint is busy, after its own Retry-After or so many seconds, and so many times.
BUSY = (429, 500, 502, 503, 504)
USUAL_WAIT, MOST_WAITS = 2, 2
# An answer takes some time: with less left than that after a wait, waiting is in vain.
SECONDS_TO_ANSWER = 5
MOST_TOKENS_TOLD = 10**7
DECLINED = "The language model declines to work on this text."


class _Part(BaseModel):
    """A part of a message: text, else thoughts, pictures and what is no answer. Newer APIs call text `output_text`."""

    type: str = "text"
    text: str | None = None
    refusal: str | None = None

    @property
    def said(self) -> str:
        return (self.text or "") if self.type in ("text", "output_text") else ""


class _Message(BaseModel):
    content: str | _Part | list[str | _Part] | None = None
    refusal: str | None = None

    @property
    def parts(self) -> list[_Part]:
        parts = self.content if isinstance(self.content, list) else [self.content or ""]
        return [_Part(text=part) if isinstance(part, str) else part for part in parts]

    @property
    def is_refusal(self) -> bool:
        return bool(self.refusal) or any(part.refusal for part in self.parts)


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(0, ge=0, le=MOST_TOKENS_TOLD)
    completion_tokens: int = Field(0, ge=0, le=MOST_TOKENS_TOLD)


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class Chat:
    """An endpoint and model, spoken to until a deadline. What an endpoint does not take is remembered."""

    def __init__(
        self, credentials: Credentials, schema: dict[str, Any], most_tokens: int, reach: Reach, deadline: Deadline
    ) -> None:
        """Prepare it; nothing is sent yet.

        Args:
            credentials: the endpoint, the model and its key.
            schema: JSON Schema that answers should follow. Not every endpoint holds its model to it.
            most_tokens: how long an answer may be, thoughts included.
            reach: the addresses that may be connected to.
            deadline: of everything that is said.
        """
        self._credentials = credentials
        self._deadline = deadline
        self._most_tokens = most_tokens
        # Newer models of OpenAI's refuse this name, other endpoints do not know the newer one.
        self._limit = "max_tokens"
        described = {"name": "answer", "strict": True, "schema": schema}
        self._formats: list[dict[str, Any]] = [
            {"response_format": {"type": "json_schema", "json_schema": described}},
            {"response_format": {"type": "json_object"}},
            {},
        ]
        self._has_system_role = True
        self._waits = 0
        self._client = OpenAI(
            base_url=credentials.base_url,
            api_key="none",  # The package insists on one. The transport sends the real one: no fault carries it.
            max_retries=0,
            http_client=httpx2.Client(transport=_Guarded(credentials, reach, deadline), trust_env=False),
        )

    def ask(self, messages: Sequence[Message]) -> Reply:
        """The model's next message.

        Raises:
            LlmFault: there is none, for a reason in words.
        """
        try:
            while not (answer := self._post(messages)).is_success:
                self._adapt(answer)
            return _read(answer.content)
        except TookTooLong:
            raise EndpointFault("The language model did not answer in time.", is_charged=True) from None
        except FetchError as error:
            kind = EndpointFault if error.retryable else LlmFault
            raise kind(f"The language model's server was not reached. {error.reason}") from None
        except OpenAIError:
            raise EndpointFault("The request to the language model failed.", is_charged=True) from None

    def _post(self, messages: Sequence[Message]) -> httpx2.Response:
        told = messages if self._has_system_role else _without_system_role(messages)
        body = {"model": self._credentials.model, "messages": told, self._limit: self._most_tokens}
        try:
            return self._client.post("/chat/completions", cast_to=httpx2.Response, body={**body, **self._formats[0]})
        except APIStatusError as error:
            # Nothing is raised within here: it would quote the provider.
            return error.response

    def _adapt(self, answer: httpx2.Response) -> None:
        """Make the next request one that the endpoint may take.

        Raises:
            LlmFault: there is no such request.
            FetchError: the time is over.
        """
        code = _code_of(answer.content)
        if code == "content_filter":
            raise LlmFault(DECLINED)
        if self._has_system_role and answer.status_code in ROLE_REFUSED and NAMES_ROLE.search(answer.content):
            self._has_system_role = False
            return
        if answer.status_code in NOT_TAKEN and self._say_it_plainer(answer.content):
            return
        asked_wait = parse_retry_after(answer.headers.get("retry-after"))
        if answer.status_code in BUSY and code != "insufficient_quota" and self._waits < MOST_WAITS:
            wait = USUAL_WAIT if asked_wait is None else asked_wait
            if wait + SECONDS_TO_ANSWER <= self._deadline.remaining():
                self._waits += 1
                self._deadline.pause(wait)
                return
        raise _fault_of(answer.status_code, code, asked_wait)

    def _say_it_plainer(self, body: bytes) -> bool:
        if self._limit == "max_tokens" and b"max_completion_tokens" in body:
            self._limit = "max_completion_tokens"
            return True
        if len(self._formats) > 1:
            self._formats.pop(0)
            return True
        return False


class _Guarded(httpx2.BaseTransport):
    """Sends what the package wants to send, and none of its headers: they tell about this machine."""

    def __init__(self, credentials: Credentials, reach: Reach, deadline: Deadline) -> None:
        self._api_key = credentials.api_key
        self._reach = reach
        self._deadline = deadline

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = post_json(str(request.url), request.read(), self._api_key, self._reach, self._deadline)
        kept = {name: answer.headers[name] for name in ("retry-after", "content-type") if name in answer.headers}
        return httpx2.Response(answer.status, headers=kept, content=answer.body, request=request)


def _without_system_role(messages: Sequence[Message]) -> list[Message]:
    """The same messages, with what the system says before the first that the user says."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    told = [message for message in messages if message["role"] != "system"]
    return [{**told[0], "content": "\n\n".join([*system, told[0]["content"]])}, *told[1:]]


def _read(body: bytes) -> Reply:
    try:
        answer = _Completion.model_validate_json(body)
    except ValidationError:
        raise LlmFault(NOT_A_CHAT, is_charged=True) from None
    choice, usage = answer.choices[0], answer.usage
    if choice.message.is_refusal or choice.finish_reason == "content_filter":
        raise LlmFault(DECLINED, is_charged=True)
    return Reply(
        text="".join(part.said for part in choice.message.parts),
        is_cut=choice.finish_reason == "length",
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
    )


def _code_of(body: bytes) -> str:
    """The word for programs in an error of OpenAI's form."""
    try:
        error = orjson.loads(body)["error"]
        return str(error["code"] or error["type"])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return ""


def _fault_of(status: int, code: str, wait: int | None) -> LlmFault:
    if status >= 500:
        return EndpointFault(meaning_of(status))
    if code == "insufficient_quota":
        return LlmFault("The credit at the provider is used up (429).")
    if status == 429 and wait:
        return LlmFault(f"The provider takes no more requests for now (429); it asks to wait for {in_words(wait)}.")
    return LlmFault(meaning_of(status))
