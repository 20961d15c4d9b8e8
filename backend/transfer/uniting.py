"""Lines of one file with the same link are one bookmark: tags united, the earliest date, what is empty filled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend.bookmarks.schemas import MAX_TAGS, BookmarkIn
from backend.text.tag_names import tag_key

TEXTS = ("title", "description", "notes")
MARKS = ("is_read", "is_favorite", "is_archived")


@dataclass(slots=True)
class UnitedLink:
    """What the lines of a batch say of one link; `places` are those of their records in the batch, in order."""

    item: BookmarkIn
    places: list[int] = field(default_factory=list)
    has_left_tags_out: bool = False

    def add(self, later: BookmarkIn, place: int) -> None:
        """Unite this with what a later line says; more tags than a bookmark may have are left out."""
        self.places.append(place)
        tags, has_room = _united_tags(self.item.tags, later.tags)
        self.has_left_tags_out |= not has_room
        values: dict[str, Any] = {name: getattr(self.item, name) or getattr(later, name) for name in (*TEXTS, *MARKS)}
        values["created_at"] = _earliest(self.item.created_at, later.created_at)
        values["project_ids"] = list(dict.fromkeys([*self.item.project_ids, *later.project_ids]))[:MAX_TAGS]
        # What both say has been checked.
        self.item = self.item.model_copy(update=values | {"tags": tags})


def unite(links: Iterable[tuple[bytes, BookmarkIn, int]]) -> dict[bytes, UnitedLink]:
    """Unite the links of a batch, each given with the hash of its URL and its place, in the order of their first."""
    united: dict[bytes, UnitedLink] = {}
    for key, item, place in links:
        if key in united:
            united[key].add(item, place)
        else:
            united[key] = UnitedLink(item, [place])
    return united


def _earliest(first: datetime | None, second: datetime | None) -> datetime | None:
    return min(first, second) if first and second else first or second


def _united_tags(before: Iterable[str], later: Iterable[str]) -> tuple[list[str], bool]:
    by_key: dict[str, str] = {}
    for name in (*before, *later):
        by_key.setdefault(tag_key(name), name)
    return list(by_key.values())[:MAX_TAGS], len(by_key) <= MAX_TAGS
