"""/auth: what people do by mail."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.auth.mail import service as mail_service
from backend.auth.mail.schemas import AcceptedOut, ForgottenPasswordIn, NewPasswordIn, VerificationIn
from backend.http.operations import operation

blueprint = Blueprint("auth_mail", __name__, url_prefix="/auth")


@blueprint.post("/password/forgot")
@operation(scope=None, limit="auth", tag="auth", responses={202: AcceptedOut})
def forget_password(json: ForgottenPasswordIn) -> tuple[AcceptedOut, int]:
    """Mail a link to choose a new password, if the address is known."""
    mail_service.forget_password(json.email)
    return AcceptedOut(), 202


@blueprint.post("/password/reset")
@operation(scope=None, limit="auth", tag="auth", responses={204: None})
def reset_password(json: NewPasswordIn) -> tuple[str, int]:
    """Choose a new password with a mailed token; ends every session."""
    mail_service.reset_password(json.token, json.password, revoke_tokens=json.revoke_tokens)
    return "", 204


@blueprint.post("/email/verify")
@operation(scope=None, limit="auth", tag="auth", responses={204: None})
def verify_email(json: VerificationIn) -> tuple[str, int]:
    """Confirm a mail address with a mailed token."""
    mail_service.verify_email(json.token)
    return "", 204


@blueprint.post("/email/verification")
@operation(scope="login", limit="auth", tag="auth", responses={202: AcceptedOut})
def send_verification_again(actor: Actor) -> tuple[AcceptedOut, int]:
    """Mail another link to confirm the mail address, at most three an hour."""
    mail_service.send_verification_again(actor)
    return AcceptedOut(), 202
