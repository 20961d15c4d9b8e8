"""Password rules and hashes (R-AUTH 6).

A hash takes 32 MiB and a core for some hundredths of a second, and anybody may ask for one: each process makes two at a
time, and who would have to wait too long for a turn is told to come again.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.security import check_password_hash, generate_password_hash
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from backend.auth.names import fold
from backend.errors import Unavailable

MIN_LENGTH = 10
MAX_LENGTH = 128
# So many of the most frequent passwords will not do with digits behind them either, or with signs for letters.
MOST_COMMON = 1_000
LETTER_SUBSTITUTIONS = str.maketrans("@4301$5", "aaeolss")
DIGIT_SEQUENCE = "1234567890" * 13
MAX_CONCURRENT = 2
LONGEST_WAIT_SECONDS = 5.0
_turns = threading.BoundedSemaphore(MAX_CONCURRENT)


@functools.cache
def common_passwords() -> frozenset[str]:
    """The 30,000 most frequent passwords of published leaks, lower-case, with the words and names that zxcvbn carries.

    Of what is in several of its lists each has only what is more frequent there than elsewhere: without the words,
    passwords such as `basketball` would be missing.
    """
    return frozenset().union(*FREQUENCY_LISTS.values())


def password_fault(password: str, username: str, email: str) -> str | None:
    """Why this password will not do for this person, or None."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"The password must have {MIN_LENGTH} to {MAX_LENGTH} characters."
    if fold(password) in {fold(username), fold(email), fold(email.rpartition("@")[0])}:
        return "The password must differ from the username and the mail address."
    if _is_common(password.casefold()):
        return "This password is among the most common ones."
    return None


def _is_common(folded: str) -> bool:
    """Whether it is on the list, or hardly more than one of the most common, one part again and again, or a run."""
    bare = folded.rstrip("0123456789!")
    if folded in common_passwords() or {bare, bare.translate(LETTER_SUBSTITUTIONS)} & _most_common():
        return True
    # A text is found inside two of it, between the ends, only if it repeats a part of itself.
    repeats = folded in (folded * 2)[1:-1] or len(set(folded)) <= 2
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(folded)}
    return repeats or steps in ({1}, {-1}) or folded in DIGIT_SEQUENCE or folded[::-1] in DIGIT_SEQUENCE


@functools.cache
def _most_common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"][:MOST_COMMON])


def hash_password(password: str) -> str:
    """A salted scrypt hash, as Werkzeug makes it.

    Raises:
        Unavailable: too many passwords are being hashed in this process; nothing was done.
    """
    with _turn():
        return generate_password_hash(password, method="scrypt")


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether the password fits; takes as long for an unknown person (None) as for a wrong password.

    Raises:
        Unavailable: too many passwords are being hashed in this process; nothing was compared.
    """
    compared = password_hash or _nobodys_hash()
    with _turn():
        matches = check_password_hash(compared, password)
    return matches and password_hash is not None


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise Unavailable("Too many passwords are being checked right now. Try again shortly.")
    try:
        yield
    finally:
        _turns.release()


@functools.cache
def _nobodys_hash() -> str:
    return hash_password("nobody has this password")
