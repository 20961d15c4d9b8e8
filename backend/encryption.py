"""Encryption at rest: Fernet under keys derived from `SECRET_KEY` (R-AUTH 9)."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.extensions import current_settings

# Part of the key: with another label nothing that is stored can be read any more.
LABEL = b"fuze encryption at rest v1"


class DecryptionError(Exception):
    """What is stored was encrypted with a key that the settings no longer name, or was changed since."""


def encrypt(text: str) -> bytes:
    """A Fernet token of the text, under the present `SECRET_KEY`."""
    return _keys()[0].encrypt(text.encode())


def decrypt(token: bytes) -> str:
    """The text of a token, under the present key or one of `PREVIOUS_SECRET_KEYS`.

    Raises:
        DecryptionError: no key fits.
    """
    try:
        return MultiFernet(_keys()).decrypt(token).decode()
    except InvalidToken:
        raise DecryptionError from None


def reencrypt(token: bytes) -> bytes | None:
    """The token under the present key; None where it is so already.

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
    """32 bytes for one use of a secret, which the label names (HKDF-SHA256, RFC 5869)."""
    # Without a salt: the secret has 32 bytes or more of chance of its own.
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(secret.encode())


def _keys() -> list[Fernet]:
    settings = current_settings()
    secrets = [settings.SECRET_KEY, *settings.PREVIOUS_SECRET_KEYS]
    return [_derived(secret.get_secret_value()) for secret in secrets]


def _derived(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derive_key(secret, LABEL)))
