"""Asking a language model for an object of a given shape: a person's own model, else the server's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Generic

from loguru import logger

from backend.ai.credentials import Credentials, own_credentials, server_credentials
from backend.ai.llm.breaker import EndpointBreaker
from backend.ai.llm.budgeted_client import Account, PaidTalk, Reply, Talk
from backend.ai.llm.faults import LlmFault
from backend.ai.llm.shapes import Shape, UnfitAnswer, read_shape, strict_schema
from backend.encryption import Undecryptable
from backend.extensions import current_settings, db
from backend.outbound.deadline import Deadline
from backend.outbound.exchange import Reach

# The first answer, and one more that repairs it.
TRIES = 2
# As far as a model is shown what it has said itself, in characters.
OWN_WORDS = 4_000
# Whose the operator's endpoint is.
SERVER = "server"
# The operator's own endpoint may be anywhere, on this machine too.
ANYWHERE = Reach((ip_network("0.0.0.0/0"), ip_network("::/0")))
REPAIR = "Your answer cannot be used:\n{fault}\nAnswer again with the whole JSON object, and nothing else."
CUT = "It was cut off at the longest that it may be. Say less."
UNFIT = "The language model answered twice with something that is not of the form it was asked for."
TOO_LONG = "The language model answered twice at more length than it may."
LOST_KEY = "The stored key of your language model can no longer be decrypted: enter it again."


@dataclass(frozen=True)
class Question(Generic[Shape]):
    """What is asked: our instructions, the material that they are about, and the shape of the answer.

    The material is what people and pages wrote. It goes in a message of its own, and nothing in it is an instruction.
    `most_tokens` is how long an answer may be, thoughts included.
    """

    instructions: str
    material: str
    shape: type[Shape]
    most_tokens: int


class LanguageModel:
    """A model that is asked for a person, on whose account the tokens go."""

    def __init__(self, credentials: Credentials, account: Account) -> None:
        """Prepare it; nothing is sent yet."""
        self._credentials = credentials
        self._account = account
        self._breaker = EndpointBreaker(credentials, SERVER if account.is_servers else f"user {account.user_id}")

    @property
    def name(self) -> str:
        """The model's name at its provider."""
        return self._credentials.model

    def ask(self, question: Question[Shape], beat: Callable[[], None]) -> Shape:
        """The answer, of the shape that is asked for. Commits; takes LLM_TIMEOUT_SECONDS at most.

        `beat` is called about every two seconds meanwhile; what it raises breaks off.

        Raises:
            LlmFault: there is none, for a reason that the person can read.
        """
        talk = self._open(question, beat)
        messages = [
            {"role": "system", "content": question.instructions},
            {"role": "user", "content": question.material},
        ]
        for _ in range(TRIES):
            beat()  # At the last moment before the material leaves the server.
            reply = talk.ask(messages)
            try:
                return _read(reply, question.shape)
            except UnfitAnswer as unfit:
                logger.info("llm answered in another form than it was asked for")
                messages += [
                    {"role": "assistant", "content": reply.text[:OWN_WORDS]},
                    {"role": "user", "content": REPAIR.format(fault=unfit)},
                ]
        raise LlmFault(TOO_LONG if reply.is_cut else UNFIT)

    def _open(self, question: Question[Shape], beat: Callable[[], None]) -> PaidTalk:
        # Half a second to import, which a process that asks nothing need not spend.
        from backend.ai.llm.chat import Chat  # noqa: PLC0415

        db.session.commit()  # No connection to the database waits for the provider.
        settings = current_settings()
        reach = ANYWHERE if self._account.is_servers else Reach(settings.AI_ALLOWED_NETWORKS)
        seconds = settings.LLM_TIMEOUT_SECONDS
        schema, most = strict_schema(question.shape), question.most_tokens
        chat: Talk = Chat(self._credentials, schema, most, reach, Deadline(seconds, beat))
        return PaidTalk(chat, self._account, self._breaker, most, seconds)


def language_model(user_id: int) -> LanguageModel | None:
    """The model that answers for a person: that of their own provider if they have set one, else the server's, if any.

    Raises:
        LlmFault: they have set one, and its key cannot be read.
    """
    try:
        own = own_credentials(user_id)
    except Undecryptable:
        raise LlmFault(LOST_KEY) from None
    credentials = own or server_credentials(current_settings())
    return LanguageModel(credentials, Account(user_id, is_servers=own is None)) if credentials else None


def server_model_fault() -> str | None:
    """What is wrong with the server's model, as far as it has been asked, or None. One round trip to Redis."""
    credentials = server_credentials(current_settings())
    return EndpointBreaker(credentials, SERVER).fault() if credentials else None


def _read(reply: Reply, shape: type[Shape]) -> Shape:
    try:
        return read_shape(reply.text, shape, is_whole=not reply.is_cut)
    except UnfitAnswer:
        if reply.is_cut:
            raise UnfitAnswer(CUT) from None
        raise
