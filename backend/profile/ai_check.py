"""Whether an LLM provider answers: one token of chat, through the address guard of capture."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx
import orjson

from backend.bookmarks.capture.addresses import IPNetwork
from backend.bookmarks.capture.deadline import Deadline
from backend.bookmarks.capture.decode import ACCEPT_ENCODING, read_body
from backend.bookmarks.capture.failures import FetchError, connection_failure
from backend.bookmarks.capture.fetch import parse_url
from backend.bookmarks.capture.resolver import Resolver, checked_addresses, system_resolver
from backend.bookmarks.capture.transport import PinnedTransport
from backend.profile.ai_service import Credentials
from config import VERSION

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 1024 * 1024
# Nothing of the provider's own words is passed on: they may quote the key.
MEANINGS = {
    400: "The provider does not take the request (400): check the model.",
    401: "The provider does not take the key (401).",
    402: "The provider wants to be paid first (402).",
    403: "The provider does not allow this with the key (403).",
    404: "The provider knows no such address or model (404): check the base URL and the model.",
    405: "There is no chat at this base URL (405).",
    429: "The provider takes no more requests for now, or the credit is used up (429).",
}


@dataclass(frozen=True)
class CheckOutcome:
    """Whether the provider answered, in words, and how long that took."""

    ok: bool
    detail: str
    latency_ms: int


def check_provider(
    credentials: Credentials, allowed_networks: Sequence[IPNetwork], resolve: Resolver = system_resolver
) -> CheckOutcome:
    """Ask the provider's model for one token: at most 10 s, no redirects, public addresses or allowed ones only."""
    start = time.monotonic()
    try:
        ok, detail = _judge(*_ask(credentials, allowed_networks, resolve))
    except FetchError as error:
        ok, detail = False, error.reason
    return CheckOutcome(ok, detail, round((time.monotonic() - start) * 1000))


def _ask(credentials: Credentials, allowed: Sequence[IPNetwork], resolve: Resolver) -> tuple[int, bytes]:
    deadline = Deadline(TIMEOUT_SECONDS)
    target = parse_url(credentials.base_url.rstrip("/") + "/chat/completions")
    addresses = checked_addresses(target.raw_host.decode("ascii"), resolve, allowed, deadline)
    question = {"model": credentials.model, "messages": [{"role": "user", "content": "Say hi."}]}
    status, body = _post(target, addresses, deadline, credentials, {**question, "max_tokens": 1})
    # Newer models of OpenAI's refuse the older name.
    if status == 400 and b"max_completion_tokens" in body:
        return _post(target, addresses, deadline, credentials, {**question, "max_completion_tokens": 16})
    return status, body


def _post(
    target: httpx.URL, addresses: Sequence[Any], deadline: Deadline, credentials: Credentials, content: dict[str, Any]
) -> tuple[int, bytes]:
    request = httpx.Request("POST", target, headers=_headers(credentials), content=orjson.dumps(content))
    try:
        with (
            PinnedTransport(addresses, deadline) as transport,
            closing(transport.handle_request(request)) as response,
        ):
            coding = response.headers.get("content-encoding", "")
            body, _ = read_body(response.iter_raw(), coding, MAX_ANSWER_BYTES, deadline)
            return response.status_code, body
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise connection_failure(error) from error


def _headers(credentials: Credentials) -> dict[str, str]:
    headers = {
        "User-Agent": f"Fuze/{VERSION}",
        "Accept": "application/json",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Content-Type": "application/json",
        "Connection": "close",
    }
    if credentials.api_key is not None:
        headers["Authorization"] = f"Bearer {credentials.api_key}"
    return headers


def _judge(status: int, body: bytes) -> tuple[bool, str]:
    if 200 <= status < 300:
        if _is_chat(body):
            return True, "The model answered."
        return False, "The answer is not one of an OpenAI-compatible chat: check the base URL."
    if 300 <= status < 400:
        return False, f"The provider redirects ({status}): enter the address that it leads to."
    if status >= 500:
        return False, f"The provider has trouble of its own ({status})."
    return False, MEANINGS.get(status, f"The provider refuses the request ({status}).")


def _is_chat(body: bytes) -> bool:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and isinstance(answer.get("choices"), list)
