"""Password rules and hashes (R-AUTH 6)."""

from __future__ import annotations

import functools

from werkzeug.security import check_password_hash, generate_password_hash
from zxcvbn.frequency_lists import FREQUENCY_LISTS

MIN_LENGTH = 10
MAX_LENGTH = 128


@functools.cache
def common_passwords() -> frozenset[str]:
    """The 30,000 most frequent passwords of published leaks, lower-case, as zxcvbn carries them."""
    return frozenset(FREQUENCY_LISTS["passwords"])


def password_fault(password: str, username: str, email: str) -> str | None:
    """Why this password will not do for this person, or None."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"The password must have {MIN_LENGTH} to {MAX_LENGTH} characters."
    folded = password.casefold()
    if folded in {username.casefold(), email.casefold(), email.partition("@")[0].casefold()}:
        return "The password must differ from the username and the mail address."
    if folded in common_passwords() or len(set(folded)) <= 2 or folded.rstrip("0123456789!") in common_passwords():
        return "This password is among the most common ones."
    return None


def hash_password(password: str) -> str:
    """A salted scrypt hash, as Werkzeug makes it."""
    return generate_password_hash(password, method="scrypt")


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether the password fits; takes as long for an unknown person (None) as for a wrong password."""
    matches = check_password_hash(password_hash or _nobodys_hash(), password)
    return matches and password_hash is not None


@functools.cache
def _nobodys_hash() -> str:
    return hash_password("nobody has this password")
