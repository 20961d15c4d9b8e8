"""DeviceRecognition devices of an account: wrong passwords from elsewhere do not delay them (R-AUTH 7).

A login sets a signed cookie on the device, valid for that account until its password changes (OWASP, "Device
cookies"). Without one, the address of a live login is known too.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from backend.auth.models import Session, User
from backend.auth.signatures import is_signed, sign
from backend.http.client_addresses import address_digest

LABEL = "fuze device cookie v1"
# People may share a browser: each account has an entry in the cookie.
MAX_ENTRIES, ID_LENGTH = 5, 22
ENTRY = re.compile(r"[A-Za-z0-9_-]{65}")
MAX_ADDRESSES = 10
# Subquery of an account: the latest addresses of its live logins.
KNOWN_ADDRESSES = func.array(
    select(Session.ip)
    .where(Session.user_id == User.id, Session.revoked_at.is_(None))
    .group_by(Session.ip)
    .order_by(func.max(Session.created_at).desc())
    .limit(MAX_ADDRESSES)
    .correlate(User)
    .scalar_subquery()
)


@dataclass(frozen=True)
class DeviceRecognition:
    """Recognition of a login attempt: by the id in the device cookie, or by the address."""

    device: str | None = None
    address: bool = False

    @property
    def is_known_device(self) -> bool:
        """Tell whether the account has been logged in to from there before."""
        return self.device is not None or self.address


UNKNOWN_DEVICE = DeviceRecognition()


def recognise_device(user: User | None, addresses: Sequence[str], cookie: str, address: str) -> DeviceRecognition:
    """Recognise the device of a login attempt; takes the same time where there is no account.

    Args:
        user: The account that the login names.
        addresses: Its `KNOWN_ADDRESSES`.
        cookie: The device cookie; "" without one.
        address: The address of the client.
    """
    own = [entry for entry in _entries(cookie) if _is_of(user, entry)]
    is_known_address = address_digest(address) in {address_digest(known) for known in addresses}
    return DeviceRecognition(own[0][:ID_LENGTH] if own else None, is_known_address and address != "")


def issue_device_cookie(user: User, cookie: str) -> str:
    """Return the cookie for a device that has just logged in: an entry for the account, beside those of others."""
    device = secrets.token_urlsafe(16)
    others = [entry for entry in _entries(cookie) if not _is_of(user, entry)]
    return ".".join([device + sign(LABEL, _text(user, device)), *others][:MAX_ENTRIES])


def _entries(cookie: str) -> list[str]:
    return [entry for entry in cookie.split(".", MAX_ENTRIES)[:MAX_ENTRIES] if ENTRY.fullmatch(entry)]


def _is_of(user: User | None, entry: str) -> bool:
    device, signature = entry[:ID_LENGTH], entry[ID_LENGTH:]
    return is_signed(LABEL, _text(user, device), signature) and user is not None


def _text(user: User | None, device: str) -> str:
    # With the hash of the password: a new password makes all devices unknown.
    return f"{user.id}:{device}:{user.password_hash}" if user else f"0:{device}:"
