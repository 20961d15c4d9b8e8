"""Queries of administrators: accounts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from backend.admin.schemas import AdminUserOut, AdminUserPage, AdminUsersQuery
from backend.auth.models import User
from backend.http.pagination import Sort, page_of, paginate


def list_people(query: AdminUsersQuery, part: str) -> AdminUserPage:
    """List people with `part` in their folded names or addresses; deleted accounts are left out."""
    shape = select(User.id, User.created_at, User)
    page = paginate(_conditions(query, part), shape, Sort(query.sort, User.created_at, User.id), query)
    return page_of(AdminUserPage, page, [AdminUserOut.model_validate(row.User) for row in page.rows])


def _conditions(query: AdminUsersQuery, part: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [User.deleted_at.is_(None)]
    if part:
        conditions.append(
            or_(User.username_key.contains(part, autoescape=True), User.email_key.contains(part, autoescape=True))
        )
    if query.role is not None:
        conditions.append(User.role == query.role)
    if query.disabled is not None:
        conditions.append(User.disabled_at.is_not(None) if query.disabled else User.disabled_at.is_(None))
    return conditions
