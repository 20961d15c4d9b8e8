"""Whether something is read, favourite or archived, as export files write it."""

from __future__ import annotations

_YES = frozenset({"1", "true", "yes", "y", "t", "x", "on", "read", "archived", "archive", "favorite", "starred"})
_NO = frozenset({"0", "false", "no", "n", "f", "off", "unread"})


def flag(value: object) -> bool | None:
    """Read yes or no; None where a field is missing, empty or says something else."""
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    return True if text in _YES else False if text in _NO else None
