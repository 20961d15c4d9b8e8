"""Access and refresh tokens (JWT): creation and verification."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal
from uuid import UUID

import jwt
from flask_jwt_extended import create_access_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError

from backend.errors import Unauthenticated
from backend.extensions import current_settings

# A token may come from the future: the clock of the server that made it may be ahead. Its expiry has no leeway.
CLOCK_SKEW_SECONDS = 10


@dataclass(frozen=True)
class TokenClaims:
    """Claims of a valid token: `generation` counts the refresh tokens before it; times are in seconds since 1970."""

    user_id: int
    session_id: UUID
    generation: int
    expires_at: float


def make_access_token(user_id: int, session_id: UUID) -> str:
    """Make a token for the Authorization header, valid for `ACCESS_TOKEN_MINUTES`."""
    life = timedelta(minutes=current_settings().ACCESS_TOKEN_MINUTES)
    return str(create_access_token(str(user_id), expires_delta=life, additional_claims={"sid": str(session_id)}))


def make_refresh_token(user_id: int, session_id: UUID, generation: int, made_at: datetime) -> str:
    """Make a token for one new pair, valid for `REFRESH_TOKEN_DAYS`. The same arguments make the same token.

    Args:
        user_id: The person.
        session_id: The session.
        generation: The number of refresh tokens of the session before it.
        made_at: The current time in whole seconds.
    """
    key = current_settings().JWT_SECRET_KEY.get_secret_value()
    seconds = int(made_at.timestamp())
    claims = {
        "sub": str(user_id),
        "sid": str(session_id),
        "gen": generation,
        "type": "refresh",
        "fresh": False,
        "jti": hmac.new(key.encode(), f"{session_id}:{generation}".encode(), hashlib.sha256).hexdigest()[:32],
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + current_settings().REFRESH_TOKEN_DAYS * 24 * 3600,
    }
    return jwt.encode(claims, key, algorithm="HS256")


def read_token(token: str, kind: Literal["access", "refresh"]) -> TokenClaims:
    """Verify a token, and return its claims.

    Raises:
        Unauthenticated: the token is forged, expired, malformed or of the other kind.
    """
    try:
        claims, token_kind = _decode(token, current_settings().JWT_SECRET_KEY.get_secret_value())
        if token_kind != kind or claims.expires_at <= time.time():
            raise Unauthenticated
        return claims
    except (PyJWTError, JWTExtendedException, ValueError, KeyError, TypeError, AttributeError):
        raise Unauthenticated from None


@lru_cache(maxsize=4096)
def _decode(token: str, key: str) -> tuple[TokenClaims, str]:
    """Return the claims and kind of a token with a valid signature. Memoised: clients send one token many times."""
    values = decode_token(token)
    claims = TokenClaims(int(values["sub"]), UUID(values["sid"]), int(values.get("gen", 0)), float(values["exp"]))
    return claims, values["type"]


def token_hash(token: str) -> bytes:
    """Hash a token for storage by SHA-256; tokens are random enough to need no salt."""
    return hashlib.sha256(token.encode()).digest()
