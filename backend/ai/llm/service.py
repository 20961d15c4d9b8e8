"""Language models: ask a person's own model, else the server's, for an object of a given shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Generic

from loguru import logger

from backend.ai.credentials import Credentials, own_credentials, server_credentials
from backend.ai.llm.breaker import EndpointBreaker
from backend.ai.llm.budgeted_client import Account, BudgetedClient, ChatClient, Reply
from backend.ai.llm.faults import LlmFault
from backend.ai.llm.shapes import InvalidAnswer, Shape, read_shape, strict_schema
from backend.encryption import DecryptionError
from backend.extensions import current_settings, db
from backend.outbound.deadline import Deadline
from backend.outbound.exchange import NetworkPolicy

# The first answer and one repair.
TRIES = 2
# Characters of an invalid answer that the model is shown again.
SHOWN_ANSWER = 4_000
# Owner of the operator's endpoint.
SERVER = "server"
# The operator's endpoint may have any address, loopback included.
ANYWHERE = NetworkPolicy((ip_network("0.0.0.0/0"), ip_network("::/0")))
REPAIR = "Your answer cannot be used:\n{fault}\nAnswer again with the whole JSON object, and nothing else."
CUT = "It was cut off at the longest that it may be. Say less."
UNFIT = "The language model answered twice with something that is not of the form it was asked for."
TOO_LONG = "The language model answered twice at more length than it may."
LOST_KEY = "The stored key of your language model can no longer be decrypted: enter it again."


@dataclass(frozen=True)
class Prompt(Generic[Shape]):
    """A prompt: our instructions, the material, and the shape of the answer.

    The material is untrusted text of people and pages. It is a message of its own, and never an instruction.
    `most_tokens` bounds the answer, thoughts included.
    """

    instructions: str
    material: str
    shape: type[Shape]
    most_tokens: int


class LanguageModel:
    """A language model for one person, who is charged for the tokens."""

    def __init__(self, credentials: Credentials, account: Account) -> None:
        """Prepare the client; nothing is sent yet."""
        self._credentials = credentials
        self._account = account
        self._breaker = EndpointBreaker(credentials, SERVER if account.is_servers else f"user {account.user_id}")

    @property
    def name(self) -> str:
        """The model's name at its provider."""
        return self._credentials.model

    def ask(self, prompt: Prompt[Shape], beat: Callable[[], None]) -> Shape:
        """Return an answer of the prompt's shape. Commits; takes LLM_TIMEOUT_SECONDS at most.

        `beat` is called about every two seconds; an exception from it aborts the call.

        Raises:
            LlmFault: there is no answer; the reason is a sentence for the person.
        """
        client = self._open(prompt, beat)
        messages = [
            {"role": "system", "content": prompt.instructions},
            {"role": "user", "content": prompt.material},
        ]
        for _ in range(TRIES):
            beat()  # Checked right before the material leaves the server.
            reply = client.ask(messages)
            try:
                return _read(reply, prompt.shape)
            except InvalidAnswer as fault:
                logger.info("llm answered in another form than it was asked for")
                messages += [
                    {"role": "assistant", "content": reply.text[:SHOWN_ANSWER]},
                    {"role": "user", "content": REPAIR.format(fault=fault)},
                ]
        raise LlmFault(TOO_LONG if reply.is_cut else UNFIT)

    def _open(self, prompt: Prompt[Shape], beat: Callable[[], None]) -> BudgetedClient:
        # Half a second to import, which a process without a prompt should not spend.
        from backend.ai.llm.chat import Chat  # noqa: PLC0415

        db.session.commit()  # No database connection waits for the provider.
        settings = current_settings()
        reach = ANYWHERE if self._account.is_servers else NetworkPolicy(settings.AI_ALLOWED_NETWORKS)
        seconds = settings.LLM_TIMEOUT_SECONDS
        schema, most = strict_schema(prompt.shape), prompt.most_tokens
        chat: ChatClient = Chat(self._credentials, schema, most, reach, Deadline(seconds, beat))
        return BudgetedClient(chat, self._account, self._breaker, most, seconds)


def language_model(user_id: int) -> LanguageModel | None:
    """Return the person's own model if they have a provider, else the server's, if any.

    Raises:
        LlmFault: the key of their own provider cannot be decrypted.
    """
    try:
        own = own_credentials(user_id)
    except DecryptionError:
        raise LlmFault(LOST_KEY) from None
    credentials = own or server_credentials(current_settings())
    return LanguageModel(credentials, Account(user_id, is_servers=own is None)) if credentials else None


def server_model_fault() -> str | None:
    """Return why the server's model is unavailable, or None. One round trip to Redis."""
    credentials = server_credentials(current_settings())
    return EndpointBreaker(credentials, SERVER).fault() if credentials else None


def _read(reply: Reply, shape: type[Shape]) -> Shape:
    try:
        return read_shape(reply.text, shape, is_whole=not reply.is_cut)
    except InvalidAnswer:
        if reply.is_cut:
            raise InvalidAnswer(CUT) from None
        raise
