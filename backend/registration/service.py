"""Registration: an account with its personal organization."""

from __future__ import annotations

from sqlalchemy import or_, select

from backend.auth.clients import Client
from backend.auth.devices import issue_device_cookie
from backend.auth.events import record_event
from backend.auth.mail.tokens import create_verification_mail
from backend.auth.models import User
from backend.auth.passwords import hash_password, password_fault
from backend.auth.schemas import SessionOut
from backend.auth.service import create_session, validate_username
from backend.errors import Conflict, Forbidden, Invalid
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate
from backend.jobs.queue import send
from backend.observability.metrics.recording import record_registration
from backend.organizations.service import add_owner, add_personal_organization
from backend.registration.limits import count_registration, refuse_too_many_registrations
from backend.text.account_keys import account_key


def register(email: str, username: str, password: str, client: Client) -> SessionOut:
    """Register an account with its personal organization, and log in.

    Raises:
        Forbidden: registration is closed here.
        Invalid: the password is too easy to guess.
        Conflict: the mail address or username is taken, in any case of letters.
        TooManyRequests: too many accounts were made from this address.
    """
    if current_settings().REGISTRATION == "closed":
        raise Forbidden("Registration is closed on this server.")
    refuse_too_many_registrations(client.ip)
    user = _add_user(email, username, password, admin=False)
    record_event(user.id, "registered")
    session = create_session(user, client)
    session.device = issue_device_cookie(user, client.device)
    message = create_verification_mail(user)
    count_registration(client.ip)
    _commit(user)
    record_registration()
    send([message])
    return session


def create_user(email: str, username: str, password: str, *, admin: bool) -> User:
    """Create an account for the operator, also where registration is closed."""
    user = _add_user(email, username, password, admin=admin)
    _commit(user)
    return user


def _commit(user: User) -> None:
    """Commit a new account; it dates a change of the person, before which no replica is read for them."""
    db.session.commit()
    invalidate([], [user.id])


def _add_user(email: str, username: str, password: str, *, admin: bool) -> User:
    validate_username(username)
    fault = password_fault(password, username, email)
    if fault:
        raise Invalid.field("body.password", fault, "password")
    _refuse_taken(email, username)
    password_hash = hash_password(
        password
    )  # Before the first write: hashing is slow, and others may wait for the locks.
    organization = add_personal_organization(username)
    user = User(
        email=email,
        email_key=account_key(email),
        username=username,
        username_key=account_key(username),
        password_hash=password_hash,
        role="admin" if admin else "user",
        personal_organization_id=organization.id,
    )
    db.session.add(user)
    db.session.flush()
    add_owner(organization, user.id)
    return user


def _refuse_taken(email: str, username: str) -> None:
    taken = db.session.execute(
        select(User.email_key, User.username_key).where(
            or_(User.email_key == account_key(email), User.username_key == account_key(username))
        )
    ).first()
    if taken:
        same_email = taken.email_key == account_key(email)
        raise Conflict("This mail address is already registered." if same_email else "This username is already taken.")
