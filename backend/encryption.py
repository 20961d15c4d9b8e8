"""Encryption at rest: Fernet under keys derived from `SECRET_KEY` (R-AUTH 9)."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.extensions import current_settings

# Part of the key: with another label no stored value can be decrypted.
LABEL = b"fuze encryption at rest v1"


class DecryptionError(Exception):
    """A stored value was encrypted with a key that the settings no longer name, or was changed."""


def encrypt(text: str) -> bytes:
    """Encrypt a text as a Fernet token under the present `SECRET_KEY`."""
    return _keys()[0].encrypt(text.encode())


def decrypt(token: bytes) -> str:
    """Decrypt a token with the present key or one of `PREVIOUS_SECRET_KEYS`.

    Raises:
        DecryptionError: no key fits.
    """
    try:
        return MultiFernet(_keys()).decrypt(token).decode()
    except InvalidToken:
        raise DecryptionError from None


def reencrypt(token: bytes) -> bytes | None:
    """Encrypt a token again under the present key; return None if that is its key.

    Raises:
        DecryptionError: no key fits.
    """
    keys = _keys()
    try:
        keys[0].decrypt(token)
    except InvalidToken:
        return keys[0].encrypt(decrypt(token).encode())
    return None


def derive_key(secret: str, label: bytes) -> bytes:
    """Derive a key of 32 bytes from a secret for the use that the label names (HKDF-SHA256, RFC 5869)."""
    # No salt: the secret has 32 random bytes or more.
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(secret.encode())


def _keys() -> list[Fernet]:
    settings = current_settings()
    secrets = [settings.SECRET_KEY, *settings.PREVIOUS_SECRET_KEYS]
    return [_fernet(secret.get_secret_value()) for secret in secrets]


def _fernet(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derive_key(secret, LABEL)))
