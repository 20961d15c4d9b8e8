"""Chat client of OpenAI-compatible endpoints: adapts requests to what an endpoint accepts, and waits where asked to.

Imported only for a call: the package takes half a second.
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
from backend.ai.llm.faults import NOT_A_CHAT, EndpointFault, LlmFault, describe_status, format_duration
from backend.outbound.deadline import Deadline
from backend.outbound.exchange import NetworkPolicy, post_json
from backend.outbound.failures import FetchError, FetchTimeout, parse_retry_after

# Statuses for an unsupported field: 400, or 422 from Mistral.
NOT_TAKEN = (400, 422)
# Some chat templates, such as Gemma's, have no system role. llama.cpp answers 500 then, others 400 or 422.
ROLE_REFUSED = (*NOT_TAKEN, 500)
NAMES_ROLE = re.compile(
    rb"\brole|system[ _-]?(?:role|message|prompt|instruction)|developer[ _-]?(?:role|message|instruction)", re.I
)
# Retried where the endpoint is busy, after its Retry-After or the default wait, up to the number of waits.
BUSY = (429, 500, 502, 503, 504)
USUAL_WAIT, MOST_WAITS = 2, 2
# With less time left after a wait, an answer could not arrive.
SECONDS_TO_ANSWER = 5
MOST_TOKENS_TOLD = 10**7
DECLINED = "The language model declines to work on this text."


class _Part(BaseModel):
    """A content part: text, thoughts, images and more. Newer APIs call text `output_text`."""

    type: str = "text"
    text: str | None = None
    refusal: str | None = None

    @property
    def answer(self) -> str:
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
    """Client of an endpoint and model until a deadline. Remembers which fields the endpoint does not support."""

    def __init__(
        self,
        credentials: Credentials,
        schema: dict[str, Any],
        most_tokens: int,
        reach: NetworkPolicy,
        deadline: Deadline,
    ) -> None:
        """Create the client; nothing is sent yet.

        Args:
            credentials: the endpoint, the model and its key.
            schema: JSON Schema of the answer. Not every endpoint enforces it.
            most_tokens: bounds an answer, thoughts included.
            reach: the addresses that connections may use.
            deadline: bounds the whole exchange.
        """
        self._credentials = credentials
        self._deadline = deadline
        self._most_tokens = most_tokens
        # Newer OpenAI models refuse this name; other endpoints do not know the newer one.
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
            api_key="none",  # Required by the package. The transport sends the real one, so that no error has it.
            max_retries=0,
            http_client=httpx2.Client(transport=_Guarded(credentials, reach, deadline), trust_env=False),
        )

    def ask(self, messages: Sequence[Message]) -> Reply:
        """Return the model's next message.

        Raises:
            LlmFault: there is none; the reason is a sentence for the person.
        """
        try:
            while not (answer := self._post(messages)).is_success:
                self._adapt(answer)
            return _read(answer.content)
        except FetchTimeout:
            raise EndpointFault("The language model did not answer in time.", is_charged=True) from None
        except FetchError as error:
            kind = EndpointFault if error.retryable else LlmFault
            raise kind(f"The language model's server was not reached. {error.reason}") from None
        except OpenAIError:
            raise EndpointFault("The request to the language model failed.", is_charged=True) from None

    def _post(self, messages: Sequence[Message]) -> httpx2.Response:
        sent = messages if self._has_system_role else _without_system_role(messages)
        body = {"model": self._credentials.model, "messages": sent, self._limit: self._most_tokens}
        try:
            return self._client.post("/chat/completions", cast_to=httpx2.Response, body={**body, **self._formats[0]})
        except APIStatusError as error:
            # Raised outside of this block, since an exception would quote the provider.
            return error.response

    def _adapt(self, answer: httpx2.Response) -> None:
        """Adapt the next request to what the endpoint accepts, or wait.

        Raises:
            LlmFault: no other request is possible.
            FetchError: the deadline has passed.
        """
        code = _code_of(answer.content)
        if code == "content_filter":
            raise LlmFault(DECLINED)
        if self._has_system_role and answer.status_code in ROLE_REFUSED and NAMES_ROLE.search(answer.content):
            self._has_system_role = False
            return
        if answer.status_code in NOT_TAKEN and self._drop_field(answer.content):
            return
        asked_wait = parse_retry_after(answer.headers.get("retry-after"))
        if answer.status_code in BUSY and code != "insufficient_quota" and self._waits < MOST_WAITS:
            wait = USUAL_WAIT if asked_wait is None else asked_wait
            if wait + SECONDS_TO_ANSWER <= self._deadline.remaining():
                self._waits += 1
                self._deadline.pause(wait)
                return
        raise _fault_of(answer.status_code, code, asked_wait)

    def _drop_field(self, body: bytes) -> bool:
        if self._limit == "max_tokens" and b"max_completion_tokens" in body:
            self._limit = "max_completion_tokens"
            return True
        if len(self._formats) > 1:
            self._formats.pop(0)
            return True
        return False


class _Guarded(httpx2.BaseTransport):
    """Transport through the guarded HTTP client. It drops the package's headers, which describe this machine."""

    def __init__(self, credentials: Credentials, reach: NetworkPolicy, deadline: Deadline) -> None:
        self._api_key = credentials.api_key
        self._reach = reach
        self._deadline = deadline

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = post_json(str(request.url), request.read(), self._api_key, self._reach, self._deadline)
        headers = {name: answer.headers[name] for name in ("retry-after", "content-type") if name in answer.headers}
        return httpx2.Response(answer.status, headers=headers, content=answer.body, request=request)


def _without_system_role(messages: Sequence[Message]) -> list[Message]:
    """Move the system message into the first message of the user."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    sent = [message for message in messages if message["role"] != "system"]
    return [{**sent[0], "content": "\n\n".join([*system, sent[0]["content"]])}, *sent[1:]]


def _read(body: bytes) -> Reply:
    try:
        answer = _Completion.model_validate_json(body)
    except ValidationError:
        raise LlmFault(NOT_A_CHAT, is_charged=True) from None
    choice, usage = answer.choices[0], answer.usage
    if choice.message.is_refusal or choice.finish_reason == "content_filter":
        raise LlmFault(DECLINED, is_charged=True)
    return Reply(
        text="".join(part.answer for part in choice.message.parts),
        is_cut=choice.finish_reason == "length",
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
    )


def _code_of(body: bytes) -> str:
    """Return the error code of an error in OpenAI's format."""
    try:
        error = orjson.loads(body)["error"]
        return str(error["code"] or error["type"])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return ""


def _fault_of(status: int, code: str, wait: int | None) -> LlmFault:
    if status >= 500:
        return EndpointFault(describe_status(status))
    if code == "insufficient_quota":
        return LlmFault("The credit at the provider is used up (429).")
    if status == 429 and wait:
        return LlmFault(
            f"The provider takes no more requests for now (429); it asks to wait for {format_duration(wait)}."
        )
    return LlmFault(describe_status(status))
