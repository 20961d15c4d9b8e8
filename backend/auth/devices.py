"""Devices that an account knows: strangers' wrong passwords do not hold them up (R-AUTH 7).

A login leaves a signed cookie on the device, good for that account until its password changes (OWASP, "Device
cookies"). Without one, the address of a login that has not been ended is known too.
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
# People who share a browser; each login is an entry of the cookie.
MAX_ENTRIES, ID_LENGTH = 5, 22
ENTRY = re.compile(r"[A-Za-z0-9_-]{65}")
MAX_ADDRESSES = 10
# Of the account that is read along with them: the last addresses of logins that have not been ended.
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
    """How an account knows whoever tries to log in: by the device's cookie, whose id this is, or by the address."""

    device: str | None = None
    address: bool = False

    @property
    def is_known_device(self) -> bool:
        """Whether the account has been logged in to from there before."""
        return self.device is not None or self.address


UNKNOWN_DEVICE = DeviceRecognition()


def recognise_device(user: User | None, addresses: Sequence[str], cookie: str, address: str) -> DeviceRecognition:
    """How the account knows the device with this cookie at this address; takes as long where there is no account.

    Args:
        user: The account that the login names.
        addresses: Its `KNOWN_ADDRESSES`.
        cookie: What the device sent; "" where it sent none.
        address: The client's.
    """
    own = [entry for entry in _entries(cookie) if _is_of(user, entry)]
    is_known_address = address_digest(address) in {address_digest(one) for one in addresses}
    return DeviceRecognition(own[0][:ID_LENGTH] if own else None, is_known_address and address != "")


def issue_device_cookie(user: User, cookie: str) -> str:
    """The cookie for a device that has just logged in: an entry for the account, beside those of others."""
    device = secrets.token_urlsafe(16)
    others = [entry for entry in _entries(cookie) if not _is_of(user, entry)]
    return ".".join([device + sign(LABEL, _text(user, device)), *others][:MAX_ENTRIES])


def _entries(cookie: str) -> list[str]:
    return [entry for entry in cookie.split(".", MAX_ENTRIES)[:MAX_ENTRIES] if ENTRY.fullmatch(entry)]


def _is_of(user: User | None, entry: str) -> bool:
    device, signature = entry[:ID_LENGTH], entry[ID_LENGTH:]
    return is_signed(LABEL, _text(user, device), signature) and user is not None


def _text(user: User | None, device: str) -> str:
    # With the hash of the password: who changes it, because others may know it, makes their devices unknown.
    return f"{user.id}:{device}:{user.password_hash}" if user else f"0:{device}:"
