"""/auth/register."""

from __future__ import annotations

from flask import Blueprint, Response

from backend.auth.clients import client_of_request
from backend.auth.cookies import login_response
from backend.auth.schemas import RegisterIn, SessionOut
from backend.http.operations import operation
from backend.registration import service

blueprint = Blueprint("registration", __name__, url_prefix="/auth")


@blueprint.post("/register")
@operation(scope=None, limit="auth", tag="auth", responses={201: SessionOut, 403: None, 409: None, 429: None})
def register(json: RegisterIn) -> Response:
    """Make an account and log in."""
    return login_response(service.register(json.email, json.username, json.password, client_of_request()), 201)
