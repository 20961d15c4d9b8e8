"""/profile: the person's own account."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.api import operation
from backend.auth import service
from backend.auth.schemas import UserOut

blueprint = Blueprint("profile", __name__, url_prefix="/profile")


@blueprint.get("")
@operation(scope="account:read", limit="read", tag="profile", responses={200: UserOut})
def read_profile(actor: Actor) -> UserOut:
    """Read your own account."""
    return UserOut.model_validate(service.get_user(actor))
