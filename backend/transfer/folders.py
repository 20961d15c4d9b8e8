"""Folders as projects: one for each path, found by its name or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.actor import Actor
from backend.projects.naming import MOST_PROJECTS, projects_named
from backend.transfer.mending import clean_folders
from backend.transfer.records import ImportedBookmark
from backend.transfer.tally import Line

SEPARATOR = " / "
MOST_CHARACTERS = 200
NO_ROOM = f"Its folder was left out: an import makes no more projects where there are {MOST_PROJECTS:,}."


def projects_by_folder(actor: Actor, lines: Sequence[Line]) -> Mapping[int, int]:
    """Find or make the projects of these lines' folders, in the current transaction; the projects' ids by place.

    A line whose project cannot be made says so. Two statements, none without folders.
    """
    names = {place: name for place, line in enumerate(lines) if (name := _project_name(line))}
    ids = projects_named(actor, list(dict.fromkeys(names.values())))
    for place, name in names.items():
        if name not in ids:
            lines[place].reasons.append(NO_ROOM)
    return {place: ids[name] for place, name in names.items() if name in ids}


def _project_name(line: Line) -> str:
    if not isinstance(line.record, ImportedBookmark) or not line.is_taken:
        return ""
    return SEPARATOR.join(clean_folders(line.record))[:MOST_CHARACTERS].strip()
