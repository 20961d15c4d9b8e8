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

    def require(self, scope: str) -> None:
        """Pass if the token carries `scope` (such as `bookmarks:write`) and the role allows it.

        Raises:
            Forbidden: the scope is missing, or a viewer tries to write.
        """
        verb = scope.partition(":")[2]
        if scope not in self.scopes and f"*:{verb}" not in self.scopes:
            raise Forbidden(f"This token lacks the scope {scope}.")
        if verb == "write" and self.role == "viewer" and not scope.startswith("account:"):
            raise Forbidden("Viewers cannot change anything in this organization.")
