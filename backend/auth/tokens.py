"""Access and refresh JWTs: made here, read here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError

from backend.errors import Unauthenticated
from backend.extensions import current_settings


@dataclass(frozen=True)
class TokenClaims:
    """What a valid token says: whose it is, and of which login."""

    user_id: int
    session_id: UUID


def make_access_token(user_id: int, session_id: UUID) -> str:
    """A token for the Authorization header, `ACCESS_TOKEN_MINUTES` long."""
    life = timedelta(minutes=current_settings().ACCESS_TOKEN_MINUTES)
    return str(create_access_token(str(user_id), expires_delta=life, additional_claims={"sid": str(session_id)}))


def make_refresh_token(user_id: int, session_id: UUID) -> str:
    """A token that buys one new pair, within `REFRESH_TOKEN_DAYS`."""
    life = timedelta(days=current_settings().REFRESH_TOKEN_DAYS)
    return str(create_refresh_token(str(user_id), expires_delta=life, additional_claims={"sid": str(session_id)}))


def read_token(token: str, kind: Literal["access", "refresh"]) -> TokenClaims:
    """The claims of a token whose signature, life and kind are right.

    Raises:
        Unauthenticated: forged, expired, of the other kind, or no token at all.
    """
    try:
        claims = decode_token(token)
        if claims["type"] != kind:
            raise Unauthenticated
        return TokenClaims(int(claims["sub"]), UUID(claims["sid"]))
    except (PyJWTError, JWTExtendedException, ValueError, KeyError, TypeError, AttributeError):
        raise Unauthenticated from None


def token_hash(token: str) -> bytes:
    """The SHA-256 under which a token is stored: it carries enough chance of its own to need no salt."""
    return hashlib.sha256(token.encode()).digest()
