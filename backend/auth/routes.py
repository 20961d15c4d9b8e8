"""/auth: log in, refresh, log out; logins and API tokens."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from backend.actor import Actor
from backend.auth import api_tokens, service
from backend.auth.clients import client_of_request
from backend.auth.cookies import clear_cookies, cookie_response, login_response, refresh_token_of
from backend.auth.schemas import (
    CookieQuery,
    LoginIn,
    LoginListQuery,
    LoginPage,
    RefreshIn,
    SessionOut,
    TokenCreatedOut,
    TokenIn,
    TokenListQuery,
    TokenPage,
)
from backend.errors import Unauthenticated
from backend.http.operations import operation

blueprint = Blueprint("auth", __name__, url_prefix="/auth")


@blueprint.post("/login")
@operation(scope=None, limit="auth", tag="auth", responses={200: SessionOut, 401: None, 429: None})
def login(query: CookieQuery, json: LoginIn) -> Response:
    """Log in with a username or mail address; a cookie makes the device known to the account."""
    return login_response(service.login(json.login, json.password, client_of_request()), in_cookies=query.cookie)


@blueprint.post("/refresh")
@operation(scope=None, limit="auth", tag="auth", responses={200: SessionOut, 401: None, 403: None})
def refresh(query: CookieQuery, json: RefreshIn) -> SessionOut | Response:
    """Trade a refresh token for a new pair; using one twice ends the session."""
    token = refresh_token_of(request) if json.refresh_token is None else json.refresh_token
    if token is None:
        raise Unauthenticated("Send the refresh token, in the body or as the cookie.")
    session = service.refresh(token)
    return cookie_response(session) if query.cookie or json.refresh_token is None else session


@blueprint.post("/logout")
@operation(scope="login", limit="auth", tag="auth", responses={204: None})
def logout(actor: Actor) -> Response:
    """End this session; its tokens stop working at once."""
    service.logout(actor)
    return clear_cookies(Response(status=204))


@blueprint.post("/logout-all")
@operation(scope="login", limit="auth", tag="auth", responses={204: None})
def logout_everywhere(actor: Actor) -> Response:
    """End every session of this person."""
    service.logout_everywhere(actor)
    return clear_cookies(Response(status=204))


@blueprint.get("/sessions")
@operation(scope="login", limit="list", tag="auth", responses={200: LoginPage})
def list_sessions(actor: Actor, query: LoginListQuery) -> LoginPage:
    """List your logins."""
    return service.list_sessions(actor, query)


@blueprint.delete("/sessions/<uuid:session_id>")
@operation(scope="login", limit="write", tag="auth", responses={204: None, 404: None})
def end_session(actor: Actor, session_id: UUID) -> tuple[str, int]:
    """End one of your logins."""
    service.end_session(actor, session_id)
    return "", 204


@blueprint.get("/tokens")
@operation(scope="login", limit="list", tag="auth", responses={200: TokenPage})
def list_tokens(actor: Actor, query: TokenListQuery) -> TokenPage:
    """List your API tokens."""
    return api_tokens.list_tokens(actor, query)


@blueprint.post("/tokens")
@operation(scope="login", limit="write", tag="auth", responses={201: TokenCreatedOut, 409: None})
def create_token(actor: Actor, json: TokenIn) -> tuple[TokenCreatedOut, int]:
    """Make an API token; it is told this once."""
    return api_tokens.create_token(actor, json), 201


@blueprint.delete("/tokens/<id:token_id>")
@operation(scope="login", limit="write", tag="auth", responses={204: None, 404: None})
def delete_token(actor: Actor, token_id: int) -> tuple[str, int]:
    """Delete an API token; it stops working at once."""
    api_tokens.delete_token(actor, token_id)
    return "", 204
