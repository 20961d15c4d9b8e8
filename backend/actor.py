"""Who is acting: user, organization, role, scopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from backend.errors import Forbidden

Role = Literal["owner", "editor", "viewer"]
ALL_SCOPES = frozenset({"*:read", "*:write"})


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in one organization. Every service takes one, and looks only at rows of `organization_id`."""

    user_id: int
    organization_id: int
    role: Role
    session_id: UUID | None = None
    scopes: frozenset[str] = ALL_SCOPES
    is_admin: bool = False
    token_id: int | None = None

    def require(self, scope: str) -> None:
        """Pass if the token carries `scope` (such as `bookmarks:write`) and the role allows it.

        `login` is what no API token carries: passwords, tokens, sessions. What roles mean for an organization itself
        and for the person's own account is decided where the organization of the path is known.

        Raises:
            Forbidden: the scope is missing, or a viewer tries to write.
        """
        if scope == "login":
            if self.session_id is None:
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
