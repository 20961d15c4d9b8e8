"""Access and refresh JWTs: made here, read here."""

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

# A token may be some seconds from the future: the clock of whichever server made it may be ahead. Its end is its end.
CLOCK_SKEW_SECONDS = 10


@dataclass(frozen=True)
class TokenClaims:
    """What a valid token says: whose it is, of which login, of a refresh token, how many came before it, and its end in
    seconds since 1970."""

    user_id: int
    session_id: UUID
    generation: int
    expires_at: float


def make_access_token(user_id: int, session_id: UUID) -> str:
    """A token for the Authorization header, `ACCESS_TOKEN_MINUTES` long."""
    life = timedelta(minutes=current_settings().ACCESS_TOKEN_MINUTES)
    return str(create_access_token(str(user_id), expires_delta=life, additional_claims={"sid": str(session_id)}))


def make_refresh_token(user_id: int, session_id: UUID, generation: int, made_at: datetime) -> str:
    """A token that buys one new pair, within `REFRESH_TOKEN_DAYS`. The same arguments make the same token.

    Args:
        user_id: Whose.
        session_id: Of which login.
        generation: How many refresh tokens the login has had before.
        made_at: Now, without parts of a second.
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
    """The claims of a token whose signature, life and kind are right.

    Raises:
        Unauthenticated: forged, expired, of the other kind, or no token at all.
    """
    try:
        found, of_kind = _verified(token, current_settings().JWT_SECRET_KEY.get_secret_value())
        if of_kind != kind or found.expires_at <= time.time():
            raise Unauthenticated
        return found
    except (PyJWTError, JWTExtendedException, ValueError, KeyError, TypeError, AttributeError):
        raise Unauthenticated from None


@lru_cache(maxsize=4096)
def _verified(token: str, key: str) -> tuple[TokenClaims, str]:
    """The claims and kind of a token whose signature is right. Remembered: people send one token many times."""
    claims = decode_token(token)
    found = TokenClaims(int(claims["sub"]), UUID(claims["sid"]), int(claims.get("gen", 0)), float(claims["exp"]))
    return found, claims["type"]


def token_hash(token: str) -> bytes:
    """The SHA-256 under which a token is stored: it carries enough chance of its own to need no salt."""
    return hashlib.sha256(token.encode()).digest()
