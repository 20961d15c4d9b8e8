"""Password rules and hashes (R-AUTH 6).

A hash takes 32 MiB and a core for some hundredths of a second, and no login is needed to cause one: each process makes
two at a time, and refuses requests that would wait too long.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.security import check_password_hash, generate_password_hash
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from backend.errors import Unavailable
from backend.text.account_keys import account_key

MIN_LENGTH = 10
MAX_LENGTH = 128
# So many of the most frequent passwords are refused also with digits behind them, or with signs for letters.
MOST_COMMON = 1_000
LETTER_SUBSTITUTIONS = str.maketrans("@4301$5", "aaeolss")
DIGIT_SEQUENCE = "1234567890" * 13
MAX_CONCURRENT = 2
LONGEST_WAIT_SECONDS = 5.0
_slots = threading.BoundedSemaphore(MAX_CONCURRENT)


@functools.cache
def common_passwords() -> frozenset[str]:
    """Return the 30,000 most frequent passwords of published leaks, lower-case, with the words and names of zxcvbn.

    Its lists are disjoint, each word in the list where it is most frequent: without the words, passwords such as
    `basketball` would be missing.
    """
    return frozenset().union(*FREQUENCY_LISTS.values())


def password_fault(password: str, username: str, email: str) -> str | None:
    """Return the fault of a password for a person, or None."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"The password must have {MIN_LENGTH} to {MAX_LENGTH} characters."
    if account_key(password) in {account_key(username), account_key(email), account_key(email.rpartition("@")[0])}:
        return "The password must differ from the username and the mail address."
    if _is_common(password.casefold()):
        return "This password is among the most common ones."
    return None


def _is_common(folded: str) -> bool:
    """Tell whether it is a common password, a variant of a very common one, a repetition or a sequence."""
    bare = folded.rstrip("0123456789!")
    if folded in common_passwords() or {bare, bare.translate(LETTER_SUBSTITUTIONS)} & _most_common():
        return True
    # A text occurs inside its double, past the start, only if it repeats a part of itself.
    repeats = folded in (folded * 2)[1:-1] or len(set(folded)) <= 2
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(folded)}
    return repeats or steps in ({1}, {-1}) or folded in DIGIT_SEQUENCE or folded[::-1] in DIGIT_SEQUENCE


@functools.cache
def _most_common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"][:MOST_COMMON])


def hash_password(password: str) -> str:
    """Hash a password by salted scrypt, in Werkzeug's format.

    Raises:
        Unavailable: too many passwords are being hashed in this process; nothing was done.
    """
    with _slot():
        return generate_password_hash(password, method="scrypt")


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is right; takes the same time for an unknown person (None) as for a wrong password.

    Raises:
        Unavailable: too many passwords are being hashed in this process; nothing was compared.
    """
    compared = password_hash or _dummy_hash()
    with _slot():
        matches = check_password_hash(compared, password)
    return matches and password_hash is not None


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise Unavailable("Too many passwords are being checked right now. Try again shortly.")
    try:
        yield
    finally:
        _slots.release()


@functools.cache
def _dummy_hash() -> str:
    return hash_password("nobody has this password")
