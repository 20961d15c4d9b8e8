"""Budgeted client: calls a language model behind its circuit breaker, within a person's budget, and records usage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from loguru import logger

from backend.ai.llm.breaker import EndpointBreaker
from backend.ai.llm.faults import EndpointFault, LlmFault
from backend.ai.llm.usage import record_usage, reserve_tokens
from backend.observability.metrics.recording import record_llm_call

# Most tokenizers use four bytes of English a token, and three of most other languages.
BYTES_PER_TOKEN = 3
# For the role and the format of a message, beside its text.
BYTES_PER_MESSAGE = 30

Message = dict[str, str]


@dataclass(frozen=True)
class Reply:
    """A model's reply, whether its length cut it off, and the tokens, where the endpoint counts them."""

    text: str
    is_cut: bool
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True)
class Account:
    """Who pays for a call: the person, and whether with the server's key."""

    user_id: int
    is_servers: bool


class ChatClient(Protocol):
    """A client that answers messages."""

    def ask(self, messages: Sequence[Message]) -> Reply:
        """Return the next message.

        Raises:
            LlmFault: there is none.
        """


@dataclass(frozen=True)
class BudgetedClient:
    """A client whose calls are budgeted. `most_tokens` bounds an answer, `seconds` a call."""

    client: ChatClient
    account: Account
    breaker: EndpointBreaker
    most_tokens: int
    seconds: float

    def ask(self, messages: Sequence[Message]) -> Reply:
        """Return the next message. Commits.

        Raises:
            LlmFault: the breaker is open, the budget is exceeded, or the call failed.
        """
        self.breaker.enter(self.seconds)
        expected = estimate_tokens(messages)
        reserved = reserve_tokens(
            self.account.user_id,
            is_servers=self.account.is_servers,
            tokens=expected + self.most_tokens,
            seconds=self.seconds,
        )
        # An interrupted call was sent all the same.
        prompt_tokens, completion_tokens, outcome = expected, 0, "failed"
        try:
            reply = self.client.ask(messages)
            prompt_tokens, completion_tokens = _counted(reply, expected)
            outcome = "answered"
        except LlmFault as fault:
            prompt_tokens = expected if fault.is_charged else 0
            self._record_outcome(fault)
            raise
        finally:
            record_llm_call(outcome, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
            record_usage(
                reserved,
                calls=int(prompt_tokens > 0),
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
            )
        self.breaker.answered()
        logger.bind(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens).info("llm answered")
        return reply

    def _record_outcome(self, fault: LlmFault) -> None:
        if isinstance(fault, EndpointFault):
            self.breaker.failed()
        else:
            self.breaker.answered()


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Estimate the tokens of messages, rather too high than too low."""
    return sum(BYTES_PER_MESSAGE + len(message["content"].encode()) for message in messages) // BYTES_PER_TOKEN


def _counted(reply: Reply, expected: int) -> tuple[int, int]:
    prompt_tokens = expected if reply.prompt_tokens is None else reply.prompt_tokens
    if reply.completion_tokens is not None:
        return prompt_tokens, reply.completion_tokens
    return prompt_tokens, len(reply.text.encode()) // BYTES_PER_TOKEN
