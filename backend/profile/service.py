"""Changes to the own account: name, address, password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import or_, select

from backend.actor import Actor
from backend.auth.events import record_event
from backend.auth.models import Session, User
from backend.auth.passwords import hash_password, password_fault, password_matches
from backend.auth.service import fold
from backend.auth.session_state import announce_revoked, revoke_sessions
from backend.errors import Conflict, Invalid
from backend.extensions import db
from backend.jobs.queue import Message, send
from backend.profile.schemas import ProfilePatch

OnNewEmail = Callable[[User], Sequence[Message]]


def nothing_more(_user: User) -> Sequence[Message]:
    """Where a new address asks for nothing else."""
    return ()


def change_profile(actor: Actor, change: ProfilePatch, on_new_email: OnNewEmail = nothing_more) -> User:
    """Change the person's name or mail address.

    `on_new_email` does, in the same transaction, what a new address asks for, such as to be verified; the messages
    that it gives are sent after the commit.

    Raises:
        Invalid: a new address without the right password.
        Conflict: the name or address is taken, in any case of letters.
    """
    user = locked_user(actor)
    messages: Sequence[Message] = ()
    new_email = change.email if change.email != user.email else None
    new_name = change.username if change.username != user.username else None
    if new_email is not None:
        check_password(user, change.current_password or "", "current_password")
    _refuse_taken(user, new_email, new_name)
    if new_name is not None:
        user.username, user.username_key = new_name, fold(new_name)
        record_event(user.id, "username_changed")
    if new_email is not None:
        user.email, user.email_key = new_email, fold(new_email)
        record_event(user.id, "email_changed")
        messages = on_new_email(user)
    db.session.commit()
    send(messages)
    return user


def change_password(actor: Actor, current_password: str, new_password: str) -> None:
    """Set a new password; every other session of the person ends.

    Raises:
        Invalid: the current password is wrong, or the new one too easy to guess.
    """
    user = locked_user(actor)
    check_password(user, current_password, "current_password")
    fault = password_fault(new_password, user.username, user.email)
    if fault:
        raise Invalid.field("body.new_password", fault, "password")
    user.password_hash = hash_password(new_password)
    revoked = revoke_sessions(Session.user_id == user.id, Session.id != actor.session_id)
    record_event(user.id, "password_changed")
    db.session.commit()
    announce_revoked(revoked)


def locked_user(actor: Actor) -> User:
    """The person who is acting; no other transaction changes the account until this one ends.

    What refers to the person, such as a new bookmark, is saved meanwhile.
    """
    return db.session.get_one(User, actor.user_id, with_for_update={"key_share": True}, populate_existing=True)


def check_password(user: User, password: str, field: str) -> None:
    """Pass if the password is the person's.

    Raises:
        Invalid: naming the body's field.
    """
    if not password_matches(user.password_hash, password):
        raise Invalid.field(f"body.{field}", "This is not the password of your account.", "wrong_password")


def at_home(actor: Actor, user: User) -> Actor:
    """The same person in the personal organization: what is private is not shown to a team."""
    return replace(actor, organization_id=user.personal_organization_id)


def _refuse_taken(user: User, email: str | None, username: str | None) -> None:
    if email is None and username is None:
        return
    # What stays compares with the person's own row, which is left out.
    email_key, username_key = fold(email or user.email), fold(username or user.username)
    taken = db.session.execute(
        select(User.email_key)
        .where(or_(User.email_key == email_key, User.username_key == username_key), User.id != user.id)
        .limit(1)
    ).first()
    if taken:
        same_email = taken.email_key == email_key
        raise Conflict("This mail address is already registered." if same_email else "This username is already taken.")
