"""/admin: for administrators of the server."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.admin import service
from backend.admin.schemas import AdminUserOut, AdminUserPage, AdminUsersQuery
from backend.http.operations import operation

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("/users")
@operation(scope="login", limit="list", tag="admin", responses={200: AdminUserPage})
def list_users(actor: Actor, query: AdminUsersQuery) -> AdminUserPage:
    """List everybody's accounts."""
    return service.list_users(actor, query)


@blueprint.post("/users/<id:user_id>/disable")
@operation(scope="login", limit="write", tag="admin", responses={200: AdminUserOut, 409: None})
def disable_user(actor: Actor, user_id: int) -> AdminUserOut:
    """Keep a person out and end all their sessions."""
    return service.disable_user(actor, user_id)


@blueprint.post("/users/<id:user_id>/enable")
@operation(scope="login", limit="write", tag="admin", responses={200: AdminUserOut})
def enable_user(actor: Actor, user_id: int) -> AdminUserOut:
    """Let a person in again."""
    return service.enable_user(actor, user_id)
