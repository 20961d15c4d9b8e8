"""Tags and folders, as the fields of export files write them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

_HASHTAGS = re.compile(r"\s*#\S+(?:\s+#\S+)*\s*")


def names(value: object) -> tuple[str, ...]:
    """Read tags from a list of names or of objects with a name, or from text."""
    if isinstance(value, str):
        return written_names(value)
    return _clean(map(_name, value)) if isinstance(value, list) else ()


def written_names(text: str) -> tuple[str, ...]:
    """Read tags from one field: a JSON list, hashtags, or names between `|`, `;` or `,`."""
    if text.lstrip().startswith("["):
        return _json_names(text)
    if _HASHTAGS.fullmatch(text):
        return _clean(text.replace("#", " ").split())
    separator = next((mark for mark in "|;," if mark in text), ",")
    return _clean(text.split(separator))


def comma_names(text: str) -> tuple[str, ...]:
    """Read tags that stand between commas and may hold blanks."""
    return _clean(text.split(","))


def comma_or_space_names(text: str) -> tuple[str, ...]:
    """Read tags between commas, or where there is no comma, between blanks."""
    return comma_names(text) if "," in text else _clean(text.split())


def folder_path(text: str) -> tuple[str, ...]:
    """Read a path of folders; where blanks stand around the slashes, the others belong to names."""
    return _clean(text.split(" / " if " / " in text else "/"))


def _json_names(text: str) -> tuple[str, ...]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _clean(text.strip().strip("[]").split(","))
    return names(value) if isinstance(value, list) else ()


def _name(value: object) -> str:
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("name", "label", "title", "tag") if value.get(key)), "")
    return value if isinstance(value, str) else ""


def _clean(raw_names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in raw_names if (name := each.strip())))
