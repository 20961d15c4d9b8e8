"""Answers of language models: schema of the suggested steps, and a tolerant parser.

The steps must be unambiguous, but their form may differ: a bare list, another key, steps as strings, durations in
words, a plain-text list. An ambiguous answer is invalid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, FiniteFloat, model_validator

from backend.tasks.breakdown.estimates import WORKING_DAY, stated_minutes
from backend.tasks.breakdown.lists import ITEM, read_items, without_lists
from backend.tasks.breakdown.outline import LINK, MOST_DESCRIPTION, build_subtask

LONGEST_TITLE = 200
# Characters that cannot be stored or displayed.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
# Depth to which nested objects are searched.
DEEPEST = 3
# Keys, in lower-case letters, that hold steps, and keys that hold anything else.
OF_STEPS = re.compile(r"task|step|todo|item|action|plan|list|result|answer|data|output|response|breakdown")
OF_OTHERS = re.compile(
    r"existing|partof|bookmark|project|technolog|source|link|referenc|resource|question|error|note|warn"
)
TITLES = ("title", "name", "step", "task", "subtask", "action", "summary", "text", "todo", "item", "instruction")
DESCRIPTIONS = ("description", "details", "detail", "desc", "explanation", "notes")
MINUTES = (
    *("estimateminutes", "estimatedminutes", "estimate", "minutes", "estimatedtime", "timeestimate"),
    *("estimatedduration", "duration", "durationminutes", "time", "timeminutes"),
)
HOURS = ("estimatehours", "estimatedhours", "durationhours", "hours")
NUMBERS = ("step", "number", "order", "position", "index", "id")
NUMBERED_KEY = re.compile(r"\D*(?P<number>\d{1,2})\D?")
# Some models set the number of a step in bold together with the step.
BOLD_NUMBER = re.compile(r"^(\s*)(?:\*\*|__)(\d{1,2}[.)])\s*(.+?)(?:\*\*|__)", re.MULTILINE)
# Refusals: the lists of such answers are reasons, not steps.
DECLINES = re.compile(r"\b(?:sorry|apologi[sz]e|unable|cannot|can['’]?t|won['’]?t|not able)\b", re.IGNORECASE)
NUMBER = r"\d+(?:[.,]\d+)?"
LENGTH = re.compile(rf"(?P<low>{NUMBER})(?:\s*(?:-|–|—|to|bis)\s*(?P<high>{NUMBER}))?\s*-?\s*(?P<unit>[^\W\d_]*)")
CLOCK = re.compile(r"(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d)")
ISO = re.compile(rf"PT(?=.)(?:(?P<hours>{NUMBER})H)?(?:(?P<minutes>{NUMBER})M)?", re.IGNORECASE)
WORDS = ((re.compile(r"\bhalf an? hour\b", re.I), "30 min"), (re.compile(r"\b(?:an|one) hour\b", re.I), "1 h"))
UNITS = (
    (re.compile(r"m|min|mins|minutes?|minuten?|minutos?|minuti|мин\w*", re.I), 1),
    (re.compile(r"h|hrs?|hours?|std|stunden?|heures?|horas?|or[ae]|uur|час\w*", re.I), 60),
    (re.compile(r"d|days?|tage?n?|jours?|d[ií]as?|giorn[io]", re.I), WORKING_DAY),
)


def _one_line(value: str) -> str:
    title = " ".join(UNPRINTABLE.sub("", value).split())
    if not title:
        raise ValueError("A subtask needs a title")
    return title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE]}…"


def _printable(value: str) -> str:
    return UNPRINTABLE.sub("", value.replace("\r\n", "\n")).strip()[:MOST_DESCRIPTION]


def _joined(value: Any) -> Any:
    is_lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
    return "\n".join(value) if is_lines else value


def _minutes(value: Any) -> Any:
    """Parse minutes; 0 where words state no duration."""
    if isinstance(value, Mapping):
        value = " ".join(str(part) for part in value.values())
    return (minutes_in(value) or 0) if isinstance(value, str) else value


def _ids(value: Any) -> Any:
    """Parse cited ids, in a list or alone; the caller checks that they were offered."""
    if isinstance(value, str):
        return [int(number) for number in re.findall(r"\d{1,18}", value)]
    cited = value if isinstance(value, list) else [value]
    ids = (_id(item.get("id") if isinstance(item, Mapping) else item) for item in cited)
    return [item for item in ids if item is not None]


def _id(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\s*\d{1,18}\s*", value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class SuggestedStep(BaseModel):
    """A step as a model writes it. What it leaves out, or null, is filled in."""

    title: Annotated[str, AfterValidator(_one_line)]
    description: Annotated[str, BeforeValidator(_joined), AfterValidator(_printable)] = ""
    estimate_minutes: Annotated[FiniteFloat, BeforeValidator(_minutes)] = 0
    bookmark_ids: Annotated[list[int], BeforeValidator(_ids)] = []

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, str):
            return _of_text(value)
        return _renamed(value) if isinstance(value, Mapping) else value


class SuggestedSteps(BaseModel):
    """All steps that a model suggests."""

    subtasks: list[SuggestedStep]

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: Any) -> Any:
        steps = _steps_in(value)
        return value if steps is None else {"subtasks": steps}


def minutes_in(text: str) -> float | None:
    """Parse a duration: "30 min", "1.5 hours", "1h 30", "45–60 minutes" (the middle), "1:30", "PT1H", "90".

    Returns None where the text is no duration, or something else too.
    """
    clock = CLOCK.fullmatch(text.strip()) or ISO.fullmatch(text.strip())
    if clock:
        return 60 * _number(clock["hours"] or "0") + _number(clock["minutes"] or "0")
    for words, figures in WORDS:
        text = words.sub(figures, text)
    lengths = list(LENGTH.finditer(text))
    minutes, usual = 0.0, 1
    for length in lengths:
        unit = _unit(length["unit"]) if length["unit"] else usual
        if unit is None:
            return None
        low = _number(length["low"])
        minutes += unit * (low + _number(length["high"] or length["low"])) / 2
    return minutes if lengths else None


def _number(figures: str) -> float:
    if re.fullmatch(r"\d{1,3},\d{3}", figures):
        return float(figures.replace(",", ""))
    return float(figures.replace(",", "."))


def _unit(word: str) -> int | None:
    return next((minutes for names, minutes in UNITS if names.fullmatch(word)), None)


def _steps_in(value: Any, depth: int = 0) -> list[Any] | None:
    """Return the steps of an answer, or None where it is ambiguous."""
    if isinstance(value, str):
        return _listed(value)
    if isinstance(value, list):
        return [item for item in value if item is not None and item != ""]
    if not isinstance(value, Mapping) or depth == DEEPEST:
        return None
    named = {_letters(name): item for name, item in value.items()}
    if "subtasks" in named:
        return _steps_in(_in_order(named["subtasks"]), depth + 1)
    if named.get("error"):
        return None
    if all(NUMBERED_KEY.fullmatch(name) for name in value) and value:
        return _steps_in(_in_order(value), depth + 1)
    return _wrapped(named, depth)


def _wrapped(named: Mapping[str, Any], depth: int) -> list[Any] | None:
    """Return the steps under another key: the only one named for steps, or whose values have titles."""
    others = {name: _in_order(item) for name, item in named.items() if item and not OF_OTHERS.search(name)}
    lists = {name: item for name, item in others.items() if isinstance(item, list)}
    by_name = [item for name, item in lists.items() if OF_STEPS.search(name)]
    by_title = [item for item in lists.values() if all(isinstance(step, Mapping) and "title" in step for step in item)]
    for candidates in (by_title, by_name):
        if len(candidates) == 1:
            return _steps_in(candidates[0])
    objects = [item for item in others.values() if isinstance(item, Mapping)]
    return _steps_in(objects[0], depth + 1) if not lists and len(objects) == 1 else None


def _in_order(value: Any) -> Any:
    """Turn an object with numbered keys ("1", "step 2") into a list; return anything else unchanged."""
    if not isinstance(value, Mapping):
        return value
    matches = {name: NUMBERED_KEY.fullmatch(name) for name in value}
    numbers = {name: int(match["number"]) for name, match in matches.items() if match}
    return [value[name] for name in sorted(numbers, key=numbers.__getitem__)] if len(numbers) == len(value) else value


def _renamed(step: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the keys of a step to those of the schema."""
    fields = {name: item for name, item in step.items() if item is not None}
    named = {_letters(name): item for name, item in fields.items()}
    if "title" not in fields:
        title = next((named[name] for name in TITLES if isinstance(named.get(name), str)), None)
        is_numbered = any(isinstance(named.get(name), int) for name in NUMBERS)
        if title is None and is_numbered and isinstance(named.get("description"), str):
            return {**fields, **_of_text(named.pop("description")), "description": ""}
        fields |= {} if title is None else {"title": title}
    for field, names in (("description", DESCRIPTIONS), ("estimate_minutes", MINUTES)):
        name = next((name for name in names if name in named), None)
        if field not in fields and name is not None:
            fields[field] = named[name]
    hours = next((named[name] for name in HOURS if isinstance(named.get(name), int | float)), None)
    return fields if hours is None or "estimate_minutes" in fields else {**fields, "estimate_minutes": 60 * hours}


def _of_text(text: str) -> dict[str, Any]:
    """Parse a step given as one text, with or without a number."""
    first, *more = text.strip().splitlines() or [""]
    item = ITEM.match(first)
    return _as_written(_without_links(item["text"] if item else first), more, 0)


def _listed(text: str) -> list[Any] | None:
    """Parse a plain-text list of steps; None where there is none, or where its items may be questions or reasons."""
    text = BOLD_NUMBER.sub(r"\1\2 **\3**", _without_links(text))
    items, beside = read_items(text) or [], without_lists(text).strip()
    if not items or (beside and len(items) == 1) or DECLINES.search(beside):
        return None
    if any(item.text.rstrip(" *_").endswith(("?", "？")) for item in items):
        return None
    return [_as_written(item.text, item.points, item.nested) for item in items]


def _as_written(text: str, more: Sequence[str], points: int) -> dict[str, Any]:
    step, stated = build_subtask(text, more, points), stated_minutes(text)
    minutes = step.estimate_minutes if stated is None else stated
    return {"title": step.title, "description": step.description, "estimate_minutes": minutes}


def _without_links(text: str) -> str:
    # Links are rebuilt from the bookmarks that were offered.
    return LINK.sub(lambda match: match["text"] or "", text)


def _letters(name: str) -> str:
    return re.sub(r"[\W\d_]+", "", name).casefold()
