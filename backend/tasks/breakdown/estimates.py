"""Estimates of a step's duration by rules.

A stated duration ("20 min", "1,5 Stunden") is used. Otherwise a step takes 30 minutes; 15 if its verb is quick (call,
check, …); 60 if its verb is large (design, migrate, …); and 15 more for each point under it. The result is a multiple
of 5 from 5 to 480 minutes.
"""

from __future__ import annotations

import re

from backend.tasks.breakdown.imperatives import LARGE_VERBS, QUICK_VERBS

USUAL, QUICK, LARGE, FOR_EACH_POINT = 30, 15, 60, 15
SHORTEST, LONGEST, MULTIPLE = 5, 480, 5
WORKING_DAY = 480

LENGTH = re.compile(
    # A time of day or interval is no duration.
    r"(?:\b(?P<when>in|within|after|every|last|nach|alle|seit|innerhalb von)\s+)?"
    r"(?<![\w.,])(?P<number>\d{1,3}(?:[.,]\d{1,2})?)\s*-?\s*"
    r"(?P<unit>minutes?|minuten?|mins?|hours?|hrs?|stunden?|std|h|days?|tage?)\b\.?",
    re.IGNORECASE,
)
# A duration set apart at the end carries no other meaning: "Book the venue (20 min)".
STATED_AT_END = re.compile(rf"\s*[(\[–—-]\s*(?:~|≈|ca\.?|about|etwa)?\s*{LENGTH.pattern}\s*[)\]]?\s*$", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")


def estimate(title: str, points: int) -> int:
    """Estimate a step in minutes; `points` is the number of points under it."""
    minutes = stated_minutes(title)
    if minutes is None:
        minutes = _by_verb(title) + FOR_EACH_POINT * points
    return max(SHORTEST, min(LONGEST, round(minutes / MULTIPLE) * MULTIPLE))


def stated_minutes(text: str) -> float | None:
    """Return the duration that a text states, in minutes, or None."""
    match = next((match for match in LENGTH.finditer(text) if not match["when"]), None)
    if match is None:
        return None
    number = float(match["number"].replace(",", "."))
    unit = match["unit"].lower()
    if unit.startswith("m"):
        return number
    return number * (WORKING_DAY if unit.startswith(("d", "t")) else 60)


def without_length(title: str) -> str:
    """Remove a duration that is set apart at the end of a title."""
    return STATED_AT_END.sub("", title) or title


def _by_verb(title: str) -> int:
    words = [word.lower() for word in WORD.findall(title)]
    # German instructions end in their verb.
    verbs = {*words[:1], *words[-1:]}
    if verbs & LARGE_VERBS:
        return LARGE
    return QUICK if verbs & QUICK_VERBS else USUAL
