"""Changes of the own account: name, mail address, password."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import or_, select

from backend.actor import Actor
from backend.auth.devices import DeviceRecognition
from backend.auth.events import record_event
from backend.auth.login_throttle import begin_attempt
from backend.auth.mail.tokens import create_verification_mail, expire_tokens, may_request
from backend.auth.models import Session, User
from backend.auth.notices import notify_new_address, notify_new_password
from backend.auth.passwords import hash_password, password_fault, password_matches
from backend.auth.remaining_access import end_tokens
from backend.auth.service import validate_username
from backend.auth.session_cache import invalidate_sessions, invalidate_tokens, revoke_sessions
from backend.digests.subscriptions import subscribe, unsubscribe
from backend.errors import Conflict, Invalid
from backend.extensions import db
from backend.jobs.queue import Message, send
from backend.mail.languages import preferred_language
from backend.profile.schemas import PasswordIn, ProfilePatch
from backend.text.account_keys import account_key

LOGGED_IN = DeviceRecognition(device="logged in")


def change_profile(actor: Actor, change: ProfilePatch, address: str) -> User:
    """Change the person's name, mail address or preferences; `address` is that of the client.

    A new mail address is unverified; a link to verify it is mailed to it, at most three an hour. The former one is
    notified.

    Raises:
        TooManyRequests: too many wrong passwords.
        Invalid: a new address without the right password.
        Conflict: the name or address is taken, in any case of letters.
    """
    user = lock_user(actor)
    messages: list[Message] = []
    new_email = change.email if change.email != user.email else None
    new_name = change.username if change.username != user.username else None
    if new_email is not None:
        check_password(user, change.current_password or "", "current_password", address)
    _refuse_taken(user, new_email, new_name)
    _set_preferences(user, change)
    if new_name is not None:
        validate_username(new_name)
        user.username, user.username_key = new_name, account_key(new_name)
        record_event(user.id, "username_changed")
    if new_email is not None:
        former, was_confirmed = user.email, user.email_verified_at is not None
        user.email, user.email_key, user.email_verified_at = new_email, account_key(new_email), None
        record_event(user.id, "email_changed")
        messages += notify_new_address(user, former, was_confirmed=was_confirmed)
        if may_request(user.id, "verify"):
            messages.append(create_verification_mail(user))
    db.session.commit()
    send(messages)
    return user


def change_password(actor: Actor, change: PasswordIn, address: str) -> None:
    """Set a new password; every other session of the person ends, and on request the API tokens.

    `address` is that of the client. A mail lists the access that remains.

    Raises:
        TooManyRequests: too many wrong passwords.
        Invalid: the current password is wrong, or the new one too easy to guess.
    """
    user = lock_user(actor)
    check_password(user, change.current_password, "current_password", address)
    fault = password_fault(change.new_password, user.username, user.email)
    if fault:
        raise Invalid.field("body.new_password", fault, "password")
    user.password_hash = hash_password(change.new_password)
    # A link that was mailed before must not reset the new password.
    expire_tokens(user.id, "reset")
    revoked = revoke_sessions(Session.user_id == user.id, Session.id != actor.session_id)
    left = end_tokens(user, all_tokens=change.revoke_tokens)
    record_event(user.id, "password_changed", detail=left.detail)
    notices = notify_new_password(user, "changed", left)
    db.session.commit()
    invalidate_sessions(revoked)
    invalidate_tokens(left.ended)
    send(notices)


def lock_user(actor: Actor) -> User:
    """Lock the acting person against changes of the account until the end of the transaction.

    Inserts that refer to the person, such as of bookmarks, go on meanwhile.
    """
    return db.session.get_one(User, actor.user_id, with_for_update={"key_share": True}, populate_existing=True)


def check_password(user: User, password: str, field: str, address: str) -> None:
    """Check the password of a person, with a throttle apart from that of logins.

    A stolen session can neither guess on nor keep the person from logging in; and failed logins from the same address
    do not delay a person who is logged in.

    Raises:
        TooManyRequests: too many wrong passwords for this account.
        Invalid: naming the body's field.
    """
    with begin_attempt(f"present password of user {user.id}", address, LOGGED_IN) as attempt:
        if not password_matches(user.password_hash, password):
            attempt.failed()
            raise Invalid.field(f"body.{field}", "This is not the password of your account.", "wrong_password")
        attempt.succeeded()


def in_personal_organization(actor: Actor, user: User) -> Actor:
    """Return the actor in the personal organization: private jobs must not be visible to a team."""
    return replace(actor, organization_id=user.personal_organization_id)


def _set_preferences(user: User, change: ProfilePatch) -> None:
    former = (user.time_zone, user.week_start, user.digest)
    wants_digest = user.digest if change.digest is None else change.digest
    user.time_zone = change.time_zone or user.time_zone
    user.week_start = change.week_start or user.week_start
    user.language = change.language or user.language or (preferred_language() if wants_digest else None)
    # What is due at this moment stays due, unless the change moves it.
    if (user.time_zone, user.week_start, wants_digest) != former:
        reschedule = subscribe if wants_digest else unsubscribe
        reschedule(user)


def _refuse_taken(user: User, email: str | None, username: str | None) -> None:
    if email is None and username is None:
        return
    # Unchanged values match the person's own row only, which the query leaves out.
    email_key, username_key = account_key(email or user.email), account_key(username or user.username)
    taken = db.session.execute(
        select(User.email_key)
        .where(or_(User.email_key == email_key, User.username_key == username_key), User.id != user.id)
        .limit(1)
    ).first()
    if taken:
        same_email = taken.email_key == email_key
        raise Conflict("This mail address is already registered." if same_email else "This username is already taken.")
