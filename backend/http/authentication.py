"""What the pipeline asks of authentication. `create_app` hands the implementation in: `http` knows no accounts."""

from __future__ import annotations

from typing import Any, Protocol

from flask import Flask, current_app
from werkzeug.datastructures import Headers

from backend.actor import Actor


class RequestCredential(Protocol):
    """What a request shows: its form and signature are checked, nothing is looked up."""

    @property
    def asked(self) -> int | None:
        """The organization that X-Organization-ID names; 0 where it names none that could be."""

    @property
    def is_login(self) -> bool:
        """Whether it is an access token, not an API token."""

    @property
    def expires_at(self) -> float:
        """The end of an access token, in seconds since 1970; infinity for an API token, whose end is looked up."""

    @property
    def subject(self) -> str:
        """The subject of the rate limits: the API token, else the person."""

    @property
    def question(self) -> tuple[str, str, int]:
        """The lookup in Redis: kind (`session` or `token`), its name, and its person (0: not known)."""


class Authenticator(Protocol):
    """From the headers of a request to an actor.

    Attributes:
        script: Lua functions `session(prefix, id, user)`, `token(prefix, hash, seconds)` and `owner_of(prefix, hash)`:
            what is known of a credential, then the person, the organization and the reach of the credential.
        first_use_seconds: After so many seconds without a request, the next one of a token is its first use.
    """

    script: str
    first_use_seconds: int

    def read_credential(self, headers: Headers) -> RequestCredential:
        """Read the credential of a request.

        Raises:
            Unauthenticated: no token, or one that is malformed, forged or expired.
        """

    def actor_of(self, credential: Any, reply: Any) -> Actor:
        """Find out who acts, from Redis's reply to the question of the credential, else from PostgreSQL.

        Raises:
            Unauthenticated: the token is revoked or expired, or the person disabled.
            NotFound: X-Organization-ID names an organization that the person does not belong to.
        """

    def known_actor(self, credential: Any, reply: Any) -> Actor | None:
        """Find out who acts as far as Redis knows, outside any context; None if PostgreSQL is to be asked, or told.

        Raises:
            Unauthenticated, NotFound: as `actor_of`.
        """

    def subject_of_person(self, user_id: int) -> str:
        """Return the subject of the rate limits that all credentials of a person share."""

    def role_in(self, actor: Actor, organization_id: int) -> str | None:
        """Return the actor's role in an organization that the credential reaches, else None. One SQL statement."""


def bind_authenticator(app: Flask, authenticator: Authenticator) -> None:
    """Attach the authenticator of an application."""
    app.extensions["authenticator"] = authenticator


def authenticator() -> Authenticator:
    """Return the authenticator of the running application."""
    bound: Authenticator = current_app.extensions["authenticator"]
    return bound
