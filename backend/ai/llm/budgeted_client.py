"""Calls that are paid for: behind the endpoint's breaker, within the person's budget, and written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from loguru import logger

from backend.ai.llm.breaker import EndpointBreaker
from backend.ai.llm.faults import EndpointFault, LlmFault
from backend.ai.llm.usage import reserve, settle

# Most tokenizers make a token of four bytes of English, and of three of most other writing.
BYTES_OF_A_TOKEN = 3
# What a role, and the form of a message, take beside its text.
BYTES_OF_A_MESSAGE = 30

Message = dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What a model said, whether it was cut for its length, and the tokens, where the endpoint counts them."""

    text: str
    is_cut: bool
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True)
class Account:
    """On whom a call goes: the person, and whether the server's key is used."""

    user_id: int
    is_servers: bool


class Talk(Protocol):
    """Something that answers messages."""

    def ask(self, messages: Sequence[Message]) -> Reply:
        """The next message.

        Raises:
            LlmFault: there is none.
        """


@dataclass(frozen=True)
class PaidTalk:
    """A talk each of whose calls is counted. `most_tokens` is how long an answer may be, `seconds` how long one takes
    at most."""

    talk: Talk
    account: Account
    breaker: EndpointBreaker
    most_tokens: int
    seconds: float

    def ask(self, messages: Sequence[Message]) -> Reply:
        """The next message. Commits.

        Raises:
            LlmFault: there is none: the endpoint is left alone, the budget is spent, or the talk itself failed.
        """
        self.breaker.enter(self.seconds)
        expected = estimate_tokens(messages)
        reserved = reserve(
            self.account.user_id,
            is_servers=self.account.is_servers,
            tokens=expected + self.most_tokens,
            seconds=self.seconds,
        )
        # Should it be broken off, it was asked all the same.
        prompt_tokens, completion_tokens = expected, 0
        try:
            reply = self.talk.ask(messages)
            prompt_tokens, completion_tokens = _counted(reply, expected)
        except LlmFault as fault:
            prompt_tokens = expected if fault.is_charged else 0
            self._tell_breaker(fault)
            raise
        finally:
            settle(
                reserved,
                calls=int(prompt_tokens > 0),
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
            )
        self.breaker.answered()
        logger.bind(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens).info("llm answered")
        return reply

    def _tell_breaker(self, fault: LlmFault) -> None:
        if isinstance(fault, EndpointFault):
            self.breaker.failed()
        else:
            self.breaker.answered()


def estimate_tokens(messages: Sequence[Message]) -> int:
    """About how many tokens messages are, rather too many than too few."""
    return sum(BYTES_OF_A_MESSAGE + len(message["content"].encode()) for message in messages) // BYTES_OF_A_TOKEN


def _counted(reply: Reply, expected: int) -> tuple[int, int]:
    prompt_tokens = expected if reply.prompt_tokens is None else reply.prompt_tokens
    if reply.completion_tokens is not None:
        return prompt_tokens, reply.completion_tokens
    return prompt_tokens, len(reply.text.encode()) // BYTES_OF_A_TOKEN
