"""Signatures of values that clients store: HMAC-SHA256 under keys derived from `SECRET_KEY`."""

from __future__ import annotations

import base64
import hmac

from backend.encryption import derive_key
from backend.extensions import current_settings


def sign(label: str, text: str) -> str:
    """Sign a text: 43 characters of base64url. The label names the use, so that no other use accepts it."""
    return _signature(label, text, current_settings().SECRET_KEY.get_secret_value())


def is_signed(label: str, text: str, signature: str) -> bool:
    """Verify the signature of a text, under the present key or one of `PREVIOUS_SECRET_KEYS`."""
    settings = current_settings()
    secrets = [settings.SECRET_KEY, *settings.PREVIOUS_SECRET_KEYS]
    expected = [_signature(label, text, secret.get_secret_value()).encode() for secret in secrets]
    return any(hmac.compare_digest(candidate, signature.encode()) for candidate in expected)


def _signature(label: str, text: str, secret: str) -> str:
    key = derive_key(secret, label.encode())
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).decode().rstrip("=")
