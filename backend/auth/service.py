"""Accounts and logins."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select, update

from backend.actor import Actor
from backend.auth.models import Session, User
from backend.auth.passwords import hash_password, password_fault, password_matches
from backend.auth.schemas import SessionOut, UserOut
from backend.auth.tokens import make_access_token, make_refresh_token, read_token, token_hash
from backend.errors import Conflict, Forbidden, Invalid, Unauthenticated
from backend.extensions import current_settings, db, utc_now
from backend.organizations.service import add_owner, add_personal_organization


@dataclass(frozen=True)
class Client:
    """Where a login comes from, as the person will see it in the list of sessions."""

    user_agent: str
    ip: str


def register(email: str, username: str, password: str, client: Client) -> SessionOut:
    """A new account with its personal organization, logged in.

    Raises:
        Forbidden: registration is closed here.
        Invalid: the password is too easy to guess.
        Conflict: the mail address or username is taken, in any case of letters.
    """
    if current_settings().REGISTRATION == "closed":
        raise Forbidden("Registration is closed on this server.")
    user = _add_user(email, username, password, admin=False)
    session = open_session(user, client)
    db.session.commit()
    return session


def create_user(email: str, username: str, password: str, *, admin: bool) -> User:
    """A new account, made by the operator; open or closed registration does not matter."""
    user = _add_user(email, username, password, admin=admin)
    db.session.commit()
    return user


def login(name: str, password: str, client: Client) -> SessionOut:
    """A new session for a username or mail address, in any case of letters.

    Raises:
        Unauthenticated: one message and one duration, whether the person or the password is wrong.
    """
    key = fold(name)
    user = db.session.scalar(select(User).where(or_(User.email_key == key, User.username_key == key)))
    if not password_matches(user.password_hash if user else None, password) or user is None:
        raise Unauthenticated("The login or the password is wrong.")
    session = open_session(user, client)
    db.session.commit()
    return session


def refresh(refresh_token: str) -> SessionOut:
    """A new pair of tokens; the old refresh token dies. One that was used before ends the whole session.

    Raises:
        Unauthenticated: forged, expired, revoked or used before.
    """
    claims = read_token(refresh_token, "refresh")
    successor = make_refresh_token(claims.user_id, claims.session_id)
    user = _rotate(claims.session_id, refresh_token, successor)
    if user is None:
        _revoke(Session.id == claims.session_id)
        db.session.commit()
        raise Unauthenticated("This refresh token is no longer valid. Log in again.")
    session = _session_out(user, claims.session_id, successor)
    db.session.commit()
    return session


def logout(actor: Actor) -> None:
    """End the session that the request came with; its tokens stop working at once."""
    _revoke(Session.id == actor.session_id)
    db.session.commit()


def logout_everywhere(actor: Actor) -> None:
    """End every session of the person."""
    _revoke(Session.user_id == actor.user_id)
    db.session.commit()


def open_session(user: User, client: Client) -> SessionOut:
    """A new login of a person, in the transaction at hand."""
    session_id = uuid4()
    refresh_token = make_refresh_token(user.id, session_id)
    db.session.add(
        Session(
            id=session_id,
            user_id=user.id,
            refresh_token_hash=token_hash(refresh_token),
            user_agent=client.user_agent[:500],
            ip=client.ip,
            expires_at=utc_now() + timedelta(days=current_settings().REFRESH_TOKEN_DAYS),
        )
    )
    return _session_out(user, session_id, refresh_token)


def get_user(actor: Actor) -> User:
    """The person who is acting."""
    return db.session.get_one(User, actor.user_id)


def fold(name: str) -> str:
    """The form in which names and mail addresses are compared: compatibility-normalised, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _add_user(email: str, username: str, password: str, *, admin: bool) -> User:
    fault = password_fault(password, username, email)
    if fault:
        raise Invalid.field("body.password", fault, "password")
    _refuse_taken(email, username)
    organization = add_personal_organization(username)
    user = User(
        email=email,
        email_key=fold(email),
        username=username,
        username_key=fold(username),
        password_hash=hash_password(password),
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
            or_(User.email_key == fold(email), User.username_key == fold(username))
        )
    ).first()
    if taken:
        same_email = taken.email_key == fold(email)
        raise Conflict("This mail address is already registered." if same_email else "This username is already taken.")


def _rotate(session_id: UUID, used: str, successor: str) -> User | None:
    # One statement compares and replaces, so of two clients with one token only one can win.
    rotated = db.session.scalar(
        update(Session)
        .where(Session.id == session_id, Session.refresh_token_hash == token_hash(used))
        .where(Session.revoked_at.is_(None), Session.expires_at > func.now())
        .values(
            refresh_token_hash=token_hash(successor),
            last_used_at=func.now(),
            expires_at=utc_now() + timedelta(days=current_settings().REFRESH_TOKEN_DAYS),
        )
        .returning(Session.user_id)
    )
    return db.session.get(User, rotated) if rotated is not None else None


def _revoke(which: object) -> None:
    db.session.execute(
        update(Session).where(which, Session.revoked_at.is_(None)).values(revoked_at=func.now())  # type: ignore[arg-type]
    )


def _session_out(user: User, session_id: UUID, refresh_token: str) -> SessionOut:
    return SessionOut(
        user=UserOut.model_validate(user),
        organization_id=user.personal_organization_id,
        access_token=make_access_token(user.id, session_id),
        refresh_token=refresh_token,
        token_type="Bearer",  # noqa: S106
        expires_in=current_settings().ACCESS_TOKEN_MINUTES * 60,
    )
