"""/auth: register, log in, refresh, log out."""

from __future__ import annotations

from flask import Blueprint, request

from backend.actor import Actor
from backend.api import operation
from backend.auth import service
from backend.auth.schemas import LoginIn, RefreshIn, RegisterIn, SessionOut
from backend.auth.service import Client

blueprint = Blueprint("auth", __name__, url_prefix="/auth")


def _client() -> Client:
    return Client(user_agent=request.headers.get("User-Agent", ""), ip=request.remote_addr or "")


@blueprint.post("/register")
@operation(scope=None, limit="auth", tag="auth", responses={201: SessionOut, 403: None, 409: None})
def register(json: RegisterIn) -> tuple[SessionOut, int]:
    """Make an account and log in."""
    return service.register(json.email, json.username, json.password, _client()), 201


@blueprint.post("/login")
@operation(scope=None, limit="auth", tag="auth", responses={200: SessionOut, 401: None})
def login(json: LoginIn) -> SessionOut:
    """Log in with a username or mail address."""
    return service.login(json.login, json.password, _client())


@blueprint.post("/refresh")
@operation(scope=None, limit="auth", tag="auth", responses={200: SessionOut, 401: None})
def refresh(json: RefreshIn) -> SessionOut:
    """Trade a refresh token for a new pair; using one twice ends the session."""
    return service.refresh(json.refresh_token)


@blueprint.post("/logout")
@operation(scope="account:write", limit="auth", tag="auth", responses={204: None})
def logout(actor: Actor) -> tuple[str, int]:
    """End this session; its tokens stop working at once."""
    service.logout(actor)
    return "", 204


@blueprint.post("/logout-all")
@operation(scope="account:write", limit="auth", tag="auth", responses={204: None})
def logout_everywhere(actor: Actor) -> tuple[str, int]:
    """End every session of this person."""
    service.logout_everywhere(actor)
    return "", 204
