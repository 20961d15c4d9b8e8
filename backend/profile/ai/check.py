"""Check of an LLM provider: one token of chat, through the address guard."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from backend.ai.credentials import Credentials
from backend.ai.llm.faults import NOT_A_CHAT, describe_status
from backend.outbound.addresses import IPNetwork
from backend.outbound.deadline import Deadline
from backend.outbound.exchange import HttpResponse, NetworkPolicy, post_json
from backend.outbound.failures import FetchError
from backend.outbound.resolver import Resolver, system_resolver

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class CheckOutcome:
    """Outcome of a check: success, a sentence about it, and the latency."""

    ok: bool
    detail: str
    latency_ms: int


def check_provider(
    credentials: Credentials, allowed_networks: Sequence[IPNetwork], resolve: Resolver = system_resolver
) -> CheckOutcome:
    """Ask the provider's model for one token: at most 10 s, no redirects, public addresses or allowed ones only."""
    start = time.monotonic()
    try:
        ok, detail = _classify(*_ask(credentials, NetworkPolicy(allowed_networks, resolve)))
    except FetchError as error:
        ok, detail = False, error.reason
    return CheckOutcome(ok, detail, round((time.monotonic() - start) * 1000))


def _ask(credentials: Credentials, policy: NetworkPolicy) -> tuple[int, bytes]:
    deadline = Deadline(TIMEOUT_SECONDS)
    prompt = {"model": credentials.model, "messages": [{"role": "user", "content": "Say hi."}]}
    answer = _post(credentials, {**prompt, "max_tokens": 1}, policy, deadline)
    # Newer models of OpenAI refuse `max_tokens`.
    if answer.status == 400 and b"max_completion_tokens" in answer.body:
        answer = _post(credentials, {**prompt, "max_completion_tokens": 16}, policy, deadline)
    return answer.status, answer.body


def _post(credentials: Credentials, content: dict[str, Any], policy: NetworkPolicy, deadline: Deadline) -> HttpResponse:
    url = credentials.base_url.rstrip("/") + "/chat/completions"
    return post_json(url, orjson.dumps(content), credentials.api_key, policy, deadline)


def _classify(status: int, body: bytes) -> tuple[bool, str]:
    if not 200 <= status < 300:
        return False, describe_status(status)
    return (True, "The model answered.") if _is_chat(body) else (False, NOT_A_CHAT)


def _is_chat(body: bytes) -> bool:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and isinstance(answer.get("choices"), list)
