"""Actor: who is acting, with user, organization, role and scopes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import Literal
from uuid import UUID

from backend.errors import Forbidden

Role = Literal["owner", "editor", "viewer"]
ALL_SCOPES = frozenset({"*:read", "*:write"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Person who acts in one organization. Every service takes an actor, and uses only rows of `organization_id`.

    Attributes:
        user_id: The person.
        organization_id: The organization of the request.
        role: The person's role in it.
        session_id: The login of the request; None for an API token, and for work without a request.
        scopes: The scopes of the credential.
        is_admin: Whether this is a login of an administrator of the server.
        token_id: The API token of the request, if it came with one.
        is_login: Whether the credential is a login, or stands for one. A login reaches all organizations of the person,
            an API token only its own.
    """

    user_id: int
    organization_id: int
    role: Role
    session_id: UUID | None = None
    scopes: frozenset[str] = ALL_SCOPES
    is_admin: bool = False
    token_id: int | None = None
    is_login: bool = False

    @property
    def reach(self) -> str:
        """Return the part of cache keys that stands for the access of the credential, beside person and organization.

        It is the same for all logins of a person, and for all API tokens of the same scopes.
        """
        return "login" if self.is_login else token_reach(self.scopes)

    def require(self, scope: str) -> None:
        """Check that the credential has a scope (such as `bookmarks:write`) and that the role allows it.

        No API token has `login` (passwords, tokens, sessions); every credential has `any`. Roles do not bound writes
        to the own account; for `organizations` the service checks the role in the organization of the path.

        Raises:
            Forbidden: the scope is missing, or a viewer tries to write.
        """
        if scope == "any":
            return
        if scope == "login":
            if not self.is_login:
                raise Forbidden("This takes a login; an API token will not do.")
            return
        resource, _, verb = scope.partition(":")
        if scope not in self.scopes and f"*:{verb}" not in self.scopes:
            raise Forbidden(f"This token lacks the scope {scope}.")
        if verb == "write" and self.role == "viewer" and resource not in ("account", "organizations"):
            raise Forbidden("Viewers cannot change anything in this organization.")

    def may(self, scope: str) -> bool:
        """Tell whether `require` lets this pass."""
        try:
            self.require(scope)
        except Forbidden:
            return False
        return True

    def require_admin(self) -> None:
        """Check that an administrator of the server acts, by a login.

        Raises:
            Forbidden: the actor is somebody else.
        """
        if not self.is_admin:
            raise Forbidden("Only administrators of the server may do this.")


@lru_cache(maxsize=256)
def token_reach(scopes: frozenset[str]) -> str:
    """Return the `Actor.reach` of API tokens with these scopes. The hash only shortens the list."""
    return "token-" + sha1(" ".join(sorted(scopes)).encode(), usedforsecurity=False).hexdigest()
