"""Sessions: login, refresh, logout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, DateTime, func, literal, select, update

from backend.actor import Actor
from backend.auth.clients import Client
from backend.auth.devices import KNOWN_ADDRESSES, issue_device_cookie, recognise_device
from backend.auth.events import record_event
from backend.auth.login_throttle import begin_attempt
from backend.auth.models import Session, User
from backend.auth.names import username_fault
from backend.auth.notices import notify_new_sign_in
from backend.auth.passwords import password_matches
from backend.auth.queries import matches_login
from backend.auth.schemas import LoginListQuery, LoginOut, LoginPage, SessionOut, UserOut
from backend.auth.session_cache import invalidate_sessions, revoke_sessions
from backend.auth.tokens import TokenClaims, make_access_token, make_refresh_token, read_token, token_hash
from backend.clock import utc_now
from backend.errors import Invalid, NotFound, Unauthenticated
from backend.extensions import current_settings, db
from backend.http.pagination import Sort, page_of, paginate
from backend.jobs.queue import Message, send
from backend.observability.metrics.recording import record_login
from backend.text.account_keys import account_key

# For so long a used refresh token still returns the newest pair of its session.
GRACE_PERIOD = timedelta(seconds=5)

NOT_REFRESHED = "This refresh token is no longer valid. Log in again."


def login(name: str, password: str, client: Client) -> SessionOut:
    """Log in by a username or mail address, in any case of letters.

    Raises:
        TooManyRequests: too many failed attempts for this account or from this address.
        Unauthenticated: one message and one duration, whether the person or the password is wrong, or the account is
            disabled.
    """
    account = db.session.execute(select(User, KNOWN_ADDRESSES).where(matches_login(name))).one_or_none()
    user, addresses = (account[0], account[1]) if account else (None, [])
    known = recognise_device(user, addresses, client.device, client.ip)
    with begin_attempt(f"user {user.id}" if user else f"nobody {account_key(name)}", client.ip, known) as attempt:
        is_right = password_matches(user.password_hash if user else None, password)
        if user is None or not is_right or not _lock_unchanged(user):
            attempt.failed()
            # Recorded also without an account: a failure must take the same time.
            record_event(user.id if user else None, "login_failed")
            db.session.commit()
            record_login("failed")
            raise Unauthenticated("The login or the password is wrong.")
        attempt.succeeded()
    session = create_session(user, client)
    session.device = issue_device_cookie(user, client.device)
    notices = [] if known.device else notify_new_sign_in(user, client.ip, client.user_agent)
    record_event(user.id, "login")
    db.session.commit()
    record_login("succeeded")
    send([Message("cache_warmup.warm_person", {"user_id": user.id}, key=f"warm-{user.id}", queue="bulk"), *notices])
    return session


def refresh(refresh_token: str) -> SessionOut:
    """Rotate a refresh token: return a new pair; the old one becomes invalid.

    Several tabs may send one token at the same moment: within the grace period after its use each token of the session
    returns the newest pair. Later reuse revokes the session.

    Raises:
        Unauthenticated: forged, expired, revoked or used before.
    """
    try:
        claims = read_token(refresh_token, "refresh")
    except Unauthenticated:
        raise Unauthenticated(NOT_REFRESHED) from None
    rotated = _rotate(claims, refresh_token) or _newest(claims)
    if rotated is None:
        revoked = revoke_sessions(Session.id == claims.session_id)
        if revoked:
            record_event(claims.user_id, "refresh_reused")
        db.session.commit()
        invalidate_sessions(revoked)
        raise Unauthenticated(NOT_REFRESHED)
    user, successor = rotated
    session = _session_out(user, claims.session_id, successor)
    db.session.commit()
    return session


def logout(actor: Actor) -> None:
    """End the session of the request; its tokens stop working at once."""
    record_event(actor.user_id, "logout")
    _end(Session.id == actor.session_id)


def logout_everywhere(actor: Actor) -> None:
    """End every session of the person."""
    record_event(actor.user_id, "logout", detail={"everywhere": True})
    _end(Session.user_id == actor.user_id)


def list_sessions(actor: Actor, query: LoginListQuery) -> LoginPage:
    """List the person's live logins, the newest first."""
    conditions = [Session.user_id == actor.user_id, Session.revoked_at.is_(None), Session.expires_at > func.now()]
    shape = select(*Session.__table__.columns, (Session.id == actor.session_id).label("current"))
    page = paginate(conditions, shape, Sort("-created_at", Session.created_at, Session.id), query)
    return page_of(LoginPage, page, [LoginOut.model_validate(row) for row in page.rows])


def end_session(actor: Actor, session_id: UUID) -> None:
    """End one of the person's logins.

    Raises:
        NotFound: it has ended, is somebody else's, or does not exist.
    """
    revoked = revoke_sessions(Session.id == session_id, Session.user_id == actor.user_id)
    if not revoked:
        raise NotFound
    record_event(actor.user_id, "session_ended", detail={"session_id": str(session_id)})
    db.session.commit()
    invalidate_sessions(revoked)


def create_session(user: User, client: Client) -> SessionOut:
    """Create a session of a person, in the current transaction."""
    session_id, now = uuid4(), utc_now().replace(microsecond=0)
    refresh_token = make_refresh_token(user.id, session_id, 0, now)
    db.session.add(
        Session(
            id=session_id,
            user_id=user.id,
            refresh_token_hash=token_hash(refresh_token),
            rotated_at=now,
            user_agent=client.user_agent[:500],
            ip=client.ip,
            expires_at=utc_now() + timedelta(days=current_settings().REFRESH_TOKEN_DAYS),
        )
    )
    return _session_out(user, session_id, refresh_token)


def validate_username(username: str) -> None:
    """Check a username, behind the checks of routes and commands.

    Raises:
        Invalid: naming `body.username`.
    """
    fault = username_fault(username)
    if fault:
        raise Invalid.field("body.username", fault, "username")


def get_user(actor: Actor) -> User:
    """Load the acting person."""
    return db.session.get_one(User, actor.user_id)


def _rotate(claims: TokenClaims, used: str) -> tuple[User, str] | None:
    # One statement compares and replaces: of two clients with one token only one can win.
    now, generation = utc_now(), claims.generation + 1
    made_at = now.replace(microsecond=0)
    successor = make_refresh_token(claims.user_id, claims.session_id, generation, made_at)
    rotated = db.session.scalar(
        update(Session)
        .where(Session.id == claims.session_id, Session.refresh_token_hash == token_hash(used))
        .where(Session.revoked_at.is_(None), Session.expires_at > func.now())
        .values(
            refresh_token_hash=token_hash(successor),
            generation=generation,
            rotated_at=made_at,
            recent_rotations=func.array_append(
                _rotations_since(now - GRACE_PERIOD), literal(now, DateTime(timezone=True))
            ),
            last_used_at=func.now(),
            expires_at=made_at + timedelta(days=current_settings().REFRESH_TOKEN_DAYS),
        )
        .returning(Session.user_id)
    )
    return _usable(rotated, successor)


def _rotations_since(moment: datetime) -> ColumnElement[list[datetime]]:
    """Return the rotations of a session since a moment, in order: the last replaced the token before the newest."""
    rotation = func.unnest(Session.recent_rotations).table_valued("at", with_ordinality="place", name="rotation")
    rotation = rotation.render_derived()
    recent = select(rotation.c.at).where(rotation.c.at > moment).order_by(rotation.c.place)
    return func.array(recent.scalar_subquery())


def _newest(claims: TokenClaims) -> tuple[User, str] | None:
    """Return the newest token of a session for one that was replaced within the grace period.

    It is made again from the row, which holds its hash only. The claims of the old token name the session and its
    generation. The shared lock waits for a rotation under way.
    """
    row = db.session.execute(
        select(
            Session.user_id,
            Session.generation,
            Session.rotated_at,
            Session.refresh_token_hash,
            Session.recent_rotations,
        )
        .where(Session.id == claims.session_id, Session.revoked_at.is_(None), Session.expires_at > func.now())
        .with_for_update(read=True)
    ).one_or_none()
    if row is None or not _is_recent(row.recent_rotations, row.generation - claims.generation):
        return None
    newest = make_refresh_token(row.user_id, claims.session_id, row.generation, row.rotated_at)
    return _usable(row.user_id, newest) if token_hash(newest) == row.refresh_token_hash else None


def _is_recent(rotations: Sequence[datetime], back: int) -> bool:
    """Tell whether the token so many before the newest was replaced within the grace period."""
    return 1 <= back <= len(rotations) and rotations[-back] > utc_now() - GRACE_PERIOD


def _lock_unchanged(user: User) -> bool:
    """Lock the person against changes, and tell whether the compared password is still theirs.

    The comparison takes long enough for a password change, or the account to be disabled or deleted: these revoke the
    existing sessions, and would miss this one.
    """
    same = User.id == user.id, User.password_hash == user.password_hash, User.disabled_at.is_(None)
    return db.session.scalar(select(User.id).where(*same).with_for_update(read=True)) is not None


def _usable(user_id: int | None, successor: str) -> tuple[User, str] | None:
    user = db.session.get(User, user_id) if user_id is not None else None
    return (user, successor) if user is not None and user.disabled_at is None else None


def _end(*conditions: ColumnElement[bool]) -> None:
    revoked = revoke_sessions(*conditions)
    db.session.commit()
    invalidate_sessions(revoked)


def _session_out(user: User, session_id: UUID, refresh_token: str) -> SessionOut:
    return SessionOut(
        user=UserOut.model_validate(user),
        organization_id=user.personal_organization_id,
        access_token=make_access_token(user.id, session_id),
        refresh_token=refresh_token,
        token_type="Bearer",  # nosec B106
        expires_in=current_settings().ACCESS_TOKEN_MINUTES * 60,
    )
