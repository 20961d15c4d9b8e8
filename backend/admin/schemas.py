"""What comes in and goes out under /admin."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.http.field_types import QueryBoolean, SafeText
from backend.http.schemas import Page, PageQuery, ResponseBody


class AdminUserOut(ResponseBody):
    """A person, as administrators see them."""

    id: int
    email: str
    username: str
    role: str = Field(examples=["user"])
    created_at: datetime
    disabled_at: datetime | None


class AdminUserPage(Page[AdminUserOut]):
    """One page of people."""


class AdminUsersQuery(PageQuery):
    """Which people."""

    q: SafeText | None = Field(None, max_length=254, description="Part of a username or mail address, in any case")
    role: Literal["user", "admin"] | None = None
    disabled: QueryBoolean | None = None
    sort: Literal["created_at", "-created_at"] = "-created_at"
