"""Signatures of cached credentials in Redis: write access to Redis is not enough to impersonate somebody.

The signature covers the key's name, the value and an expiry. So an entry cannot be moved from one person, login or
token to another, and an old entry that is restored is invalid after its expiry.
"""

from __future__ import annotations

import time
from hashlib import blake2b
from hmac import compare_digest
from typing import cast

from flask import Flask, current_app

from backend.encryption import derive_key
from config import Settings

# Part of the key: no other use of the secret makes such signatures.
LABEL = b"fuze entries in redis v1"
END_BYTES, SIGNATURE_BYTES = 4, 16
TRAILER_BYTES = END_BYTES + SIGNATURE_BYTES


class EntrySigner:
    """Signer of cache entries: some microseconds each."""

    def __init__(self, secret: str) -> None:
        """Derive the key."""
        self._key = derive_key(secret, LABEL)

    def sign(self, name: str, value: bytes, seconds: int) -> bytes:
        """Sign a value to be stored under a name, valid for so many seconds."""
        content = value + (int(time.time()) + seconds).to_bytes(END_BYTES, "big")
        return content + self._signature(name, content)

    def read(self, name: str, entry: bytes | None) -> bytes | None:
        """Return the value of an entry; None if it was not signed for this name, or has expired."""
        verified = self.verify(name, entry)
        return verified[0] if verified is not None and verified[1] > time.time() else None

    def verify(self, name: str, entry: bytes | None) -> tuple[bytes, int] | None:
        """Return the value and the expiry, in seconds since 1970, of an entry signed for this name, expired or not."""
        if entry is None or len(entry) < TRAILER_BYTES:
            return None
        content = entry[:-SIGNATURE_BYTES]
        if not compare_digest(self._signature(name, content), entry[-SIGNATURE_BYTES:]):
            return None
        return content[:-END_BYTES], int.from_bytes(content[-END_BYTES:], "big")

    def _signature(self, name: str, content: bytes) -> bytes:
        # No name holds a zero byte.
        return blake2b(b"%b\0%b" % (name.encode(), content), key=self._key, digest_size=SIGNATURE_BYTES).digest()


def bind_entry_signer(app: Flask, settings: Settings) -> None:
    """Attach the application's signer."""
    app.extensions["entry_signer"] = EntrySigner(settings.SECRET_KEY.get_secret_value())


def entry_signer() -> EntrySigner:
    """Return the signer of the running application."""
    return cast(EntrySigner, current_app.extensions["entry_signer"])
