"""Who is acting: user, organization, role, scopes."""

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
    """A person in one organization. Every service takes one, and looks only at rows of `organization_id`.

    Attributes:
        user_id: Who acts.
        organization_id: In which organization.
        role: As what, there.
        session_id: The login that the request came with; None for an API token, and for work without a request.
        scopes: What the credential is good for.
        is_admin: Whether this is a login of an administrator of the server.
        is_login: Whether this is a login, which reaches all organizations of the person, or a stand-in for one. An API
            token reaches the one that it is for.
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
        """What the credential reaches, beside person and organization, as a part of cache keys.

        The same for all logins of a person, and for all API tokens of the same scopes.
        """
        return "login" if self.is_login else token_reach(self.scopes)

    def require(self, scope: str) -> None:
        """Pass if the token carries `scope` (such as `bookmarks:write`) and the role allows it.

        `login` is what no API token carries: passwords, tokens, sessions. `any` is what every valid token is good for:
        to tell whose it is. What roles mean for an organization itself
        and for the person's own account is decided where the organization of the path is known.

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

    def require_admin(self) -> None:
        """Pass if an administrator of the server acts, logged in.

        Raises:
            Forbidden: anybody else.
        """
        if not self.is_admin:
            raise Forbidden("Only administrators of the server may do this.")


@lru_cache(maxsize=256)
def token_reach(scopes: frozenset[str]) -> str:
    """What API tokens of these scopes reach, in a few letters. The hash only makes a list short."""
    return "token-" + sha1(" ".join(sorted(scopes)).encode(), usedforsecurity=False).hexdigest()
