"""How long a step takes, by a plain rule: what it says itself; else by its verb; more for the points under it.

A length that stands in the step ("20 min", "1,5 Stunden") is taken. Otherwise a step takes 30 minutes; 15 if it begins
with something quick (call, check, …); 60 if it begins with something large (design, migrate, …); and 15 more for
each point under it. The answer is a multiple of 5 from 5 to 480 minutes.
"""

from __future__ import annotations

import re

from backend.tasks.breakdown.imperatives import LARGE_VERBS, QUICK_VERBS

USUAL, QUICK, LARGE, FOR_EACH_POINT = 30, 15, 60, 15
SHORTEST, LONGEST, MULTIPLE = 5, 480, 5
WORKING_DAY = 480

LENGTH = re.compile(
    # When something happens is not how long it takes.
    r"(?:\b(?P<when>in|within|after|every|last|nach|alle|seit|innerhalb von)\s+)?"
    r"(?<![\w.,])(?P<number>\d{1,3}(?:[.,]\d{1,2})?)\s*-?\s*"
    r"(?P<unit>minutes?|minuten?|mins?|hours?|hrs?|stunden?|std|h|days?|tage?)\b\.?",
    re.IGNORECASE,
)
# A length on its own at the end says nothing else: "Book the venue (20 min)".
ASIDE = re.compile(rf"\s*[(\[–—-]\s*(?:~|≈|ca\.?|about|etwa)?\s*{LENGTH.pattern}\s*[)\]]?\s*$", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")


def estimate(title: str, points: int) -> int:
    """The minutes that a step takes; `points` is how many points stand under it."""
    minutes = stated_minutes(title)
    if minutes is None:
        minutes = _by_verb(title) + FOR_EACH_POINT * points
    return max(SHORTEST, min(LONGEST, round(minutes / MULTIPLE) * MULTIPLE))


def stated_minutes(text: str) -> float | None:
    """The length that a text states, in minutes, if it states one."""
    found = next((found for found in LENGTH.finditer(text) if not found["when"]), None)
    if found is None:
        return None
    number = float(found["number"].replace(",", "."))
    unit = found["unit"].lower()
    if unit.startswith("m"):
        return number
    return number * (WORKING_DAY if unit.startswith(("d", "t")) else 60)


def without_length(title: str) -> str:
    """A title without the length that stands apart at its end."""
    return ASIDE.sub("", title) or title


def _by_verb(title: str) -> int:
    words = [word.lower() for word in WORD.findall(title)]
    # German instructions end in their verb.
    verbs = {*words[:1], *words[-1:]}
    if verbs & LARGE_VERBS:
        return LARGE
    return QUICK if verbs & QUICK_VERBS else USUAL
