"""The authenticator that `create_app` hands to the pipeline."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from flask import Flask
from werkzeug.datastructures import Headers

from backend.actor import Actor
from backend.auth import authentication
from backend.auth.authentication import TokenCredential
from backend.auth.memberships import role_in
from backend.auth.session_cache import FIRST_USE_SECONDS, LUA_CREDENTIALS
from backend.http.dialects import BEARER


class RequestAuthenticator:
    """Authenticator of access tokens and API tokens; implements `backend.http.authentication.Authenticator`."""

    script = LUA_CREDENTIALS
    first_use_seconds = FIRST_USE_SECONDS

    def __init__(self, app: Flask) -> None:
        """Use the signer of cached credentials that is bound to the application."""
        self._app = app

    def read_credential(self, headers: Headers, schemes: Container[str] = BEARER) -> TokenCredential:
        """Read the credential of a request."""
        return authentication.read_credential(headers, schemes)

    def actor_of(self, credential: TokenCredential, reply: Any) -> Actor:
        """Authenticate a credential. One SQL statement, and another round trip to Redis, on a cache miss."""
        return authentication.actor_of(credential, reply)

    def known_actor(self, credential: TokenCredential, reply: Any) -> Actor | None:
        """Authenticate a credential from the cache alone."""
        return authentication.cached_actor(credential, reply, self._app.extensions["entry_signer"])

    def subject_of_person(self, user_id: int) -> str:
        """Return the subject of the rate limits that all credentials of a person share."""
        return authentication.subject_of_person(user_id)

    def role_in(self, actor: Actor, organization_id: int) -> str | None:
        """Return the actor's role in an organization. One SQL statement."""
        return role_in(actor, organization_id)
